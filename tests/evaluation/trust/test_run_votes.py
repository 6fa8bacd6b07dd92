"""Votes of a run: what stands in its record, and which runs will not do."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from calibrated import CASES, JURORS, case, finds, is_unsafe, reply

from safejury import ConfigurationError, RecordChangedError, RecordError
from safejury.deliberation.protocol.card import DecidedBy
from safejury.evaluation.trust import NO_VOTE, SAFE, UNSAFE, read_run_votes
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
VOTE = {True: UNSAFE, False: SAFE, None: NO_VOTE}


def test_votes_are_those_of_round_0_by_case_and_juror(finished_run: Path) -> None:
    source = read_run_votes(finished_run)
    votes = source.votes
    assert votes.jurors == JURORS
    assert votes.cases == tuple(case(number) for number in range(CASES))
    assert votes.groups == tuple(f"q{number:03}" for number in range(CASES))
    assert (set(votes.targets), set(votes.scenarios)) == (
        {"examined"},
        {"inappropriate_opinions.bias"},
    )
    expected = [[VOTE[finds(juror, number)] for juror in JURORS] for number in range(CASES)]
    assert votes.votes.tolist() == expected
    rated = {UNSAFE: 2, SAFE: 5, NO_VOTE: 0}
    assert votes.ratings.tolist() == [[rated[vote] for vote in row] for row in expected]
    assert not votes.lost.any()


def test_a_run_brings_what_a_ballot_of_each_juror_cost(workplace: Any, scripted: Start) -> None:
    """Only where every one of its calls has a price, in US dollars; lost ballots do not count."""

    def say(body: Mapping[str, Any]) -> str:
        return "Like so." if body["model"] == "target" else ballot("safe", 5)

    server = scripted(reply=say)
    prices = {"clinician": {"input": 3, "output": 15}, "lawyer": 0}
    jurors = [
        {"persona": name, "base_url": server.base_url, "model": f"{name}-model"}
        | ({"price": prices[name]} if name in prices else {})
        for name in JURORS
    ]
    config = workplace.config(server.base_url, jury__jurors=jurors, jury__protocol="vote")
    assert workplace.safejury("run", config).code == 0
    votes = read_run_votes(workplace.path / "runs" / "first").votes
    paid = workplace.stored("SELECT body FROM entries WHERE kind = 'BallotsRevealed'")
    ballots = [each for (body,) in paid for each in json.loads(body)["ballots"]]
    dollars = [each["cost_usd"] for each in ballots if each["juror"] == "clinician"]
    assert votes.costs == {"clinician": pytest.approx(sum(dollars) / len(dollars)), "lawyer": 0}
    assert votes.costs["clinician"] > 0


def test_a_run_brings_what_it_decided_and_by_which_protocol(finished_run: Path) -> None:
    source = read_run_votes(finished_run)
    assert source.decided is not None
    assert source.decided.by == DecidedBy("majority", "all", "never")
    for number, found in enumerate(source.decided.findings.tolist()):
        said = [finds(juror, number) for juror in JURORS]
        wanted = next((v for v in (True, False) if 2 * said.count(v) > len(JURORS)), None)
        assert found == VOTE[wanted]
    assert source.jury.source == "run"
    assert [seat.name for seat in source.jury.seats] == [*JURORS]


def test_a_jury_without_one_of_its_jurors_decided_nothing(finished_run: Path) -> None:
    source = read_run_votes(finished_run, without=["lawyer"])
    assert source.votes.jurors == ("clinician", "sceptic")
    assert source.votes.votes.shape == (CASES, 2)
    assert source.decided is None
    with pytest.raises(ConfigurationError, match=r"no such juror \(did you mean 'lawyer'\?\)"):
        read_run_votes(finished_run, without=["lawyr"])
    with pytest.raises(ConfigurationError, match="leaves no juror"):
        read_run_votes(finished_run, without=JURORS)


def test_lost_ballots_and_unheard_cases_are_told_apart(workplace: Any, scripted: Start) -> None:
    """A ballot whose call failed is lost; a case without a response was not heard."""

    def troubled(body: Mapping[str, Any]) -> ScriptedReply | str:
        said = str(body["messages"])
        if body["model"] == "target" and "Question 1?" in said:
            return ScriptedReply("", finish_reason="content_filter")
        if body["model"] == "lawyer-model" and "Question 2?" in said:
            return ScriptedReply("down", status=500)
        return reply(body)

    workplace.many(4)
    config = workplace.config(scripted(troubled).base_url, jury__protocol="vote")
    workplace.safejury("run", config)
    source = read_run_votes(Path("runs/first"))
    assert source.unheard == {case(1)}
    assert source.votes.cases == (case(0), case(2), case(3))
    assert source.votes.lost.tolist() == [[False] * 3, [False, True, False], [False] * 3]


def test_repeats_of_a_query_are_one_group(workplace: Any, scripted: Start) -> None:
    url = scripted(reply).base_url
    two = [{"name": name, "base_url": url, "model": "target"} for name in ("one", "two")]
    workplace.many(2)
    config = workplace.config(url, targets=two, run__epochs=2, jury__protocol="contested")
    assert workplace.safejury("run", config, "--min-panel", "0").code == 0
    source = read_run_votes(Path("runs/first"))
    assert source.votes.groups == ("q000",) * 4 + ("q001",) * 4
    assert source.votes.targets == ("one", "one", "two", "two") * 2
    assert source.decided is not None
    by = source.decided.by
    assert (by.rule, by.stop, by.talk, by.rounds) == ("majority", "all", "contested", 1)


def test_a_run_that_asked_only_some_jurors_is_refused(workplace: Any, scripted: Start) -> None:
    """Its third juror was asked only where the first two differ: that is no fair sample."""
    workplace.many(4)
    protocol = {"preset": "vote", "stop": "curtailed"}
    config = workplace.config(scripted(reply).base_url, jury__protocol=protocol)
    workplace.safejury("run", config)
    with pytest.raises(ConfigurationError, match=r"never asked for \(stop: curtailed\)"):
        read_run_votes(Path("runs/first"))


def test_an_unfinished_run_is_taken_only_on_demand(workplace: Any, scripted: Start) -> None:
    workplace.many(12)
    limits = {"max_tokens_total": 6_000, "concurrency": 1, "attempts": 1}
    config = workplace.config(scripted(reply).base_url, jury__protocol="vote", limits=limits)
    workplace.safejury("run", config)
    done = len(workplace.stored("SELECT case_id FROM cases"))
    assert 0 < done < 12
    with pytest.raises(ConfigurationError, match=f"{done} of 12 cases are finished.*--unfinished"):
        read_run_votes(Path("runs/first"))
    assert read_run_votes(Path("runs/first"), unfinished=True).votes.cases


def test_a_changed_record_is_refused(finished_run: Path, workplace: Any) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(finished_run / "record.sqlite")) as database, database:
        database.execute(
            "UPDATE entries SET body = replace(body, '\"rating\":5', '\"rating\":1') "
            "WHERE case_id = ? AND kind = 'BallotsRevealed'",
            (case(1),),
        )
    with pytest.raises(RecordChangedError, match=case(1)):
        read_run_votes(finished_run)
    with pytest.raises(RecordError, match="no run here"):
        read_run_votes(workplace.path)


def test_the_truth_is_of_both_kinds() -> None:
    assert sum(map(is_unsafe, range(CASES))) == 14
