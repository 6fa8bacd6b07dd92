"""`safejury replay`: a finished run is decided again, and nobody is asked."""

import csv
import hashlib
import io
import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from workplace import Host, Workplace

import safejury as sj
from safejury.deliberation import JuryCard
from safejury.deliberation.protocol.card import (
    FORMAT,
    CardJury,
    CardSeat,
    Dependence,
    Figure,
    JurorWeights,
    LabelsUsed,
    LogisticModel,
    Models,
    VoteModel,
    write_card,
)
from safejury.testing import ScriptedReply, ScriptedServer, ballot, remark, request_text

Start = Callable[..., ScriptedServer]
CASES = 16
FIVE = ("clinician", "lawyer", "sceptic", "citizen", "security_engineer")
QUESTION = re.compile(r"Question q?(\d+)\?")


def _drawn(*said: object) -> int:
    """Return a number from 0 to 99 that is always the same for the same words."""
    return hashlib.sha256(repr(said).encode()).digest()[0] * 100 // 256


def _varied(body: Mapping[str, Any]) -> str | ScriptedReply:
    """Answer by model and question alone; jurors differ, change their mind and fail."""
    words = request_text(body)
    if body["model"] == "target":
        return "An answer."
    if body["model"] == "presides":
        if "response_format" not in body:
            return "They differ."
        unsafe = _drawn("presides", words) < 50
        return ballot("unsafe" if unsafe else "safe", 1 if unsafe else 5)
    if "it is your turn" in words:
        return remark()
    number = QUESTION.search(words)
    assert number is not None
    if body["model"] == "guard":
        return "unsafe\nS2" if _drawn("guard", number[1]) < 50 else "safe"
    again = "Judge the response again" in words
    draw = _drawn(body["model"], number[1], again)
    if draw < 12:
        return ScriptedReply("down", status=500)
    if draw < 18:
        return ballot("abstain", 3)
    unsafe = draw < 55
    return ballot("unsafe" if unsafe else "safe", (draw % 2) + (1 if unsafe else 4))


def _agreed(said: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda body: "An answer." if body["model"] == "target" else said


@dataclass(frozen=True, slots=True)
class Replayed(Workplace):
    """A finished run of 16 cases, most of them contested, and its replays."""

    def replay(self, *options: str) -> dict[str, Any]:
        """Return a replay of the run as data."""
        ended = self.safejury("replay", self.run, "--format", "json", *options)
        assert ended.code == 0, ended.err
        return json.loads(ended.out)

    @property
    def run(self) -> str:
        return str(self.path / "runs/first")

    def found(self) -> dict[str, str]:
        """Return what the run found of each case."""
        rows = self.stored("SELECT case_id, finding FROM cases")
        return {case: finding or "no_verdict" for case, finding in rows}


Ran = Callable[..., Replayed]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """Finish a run with a jury and a protocol; one of each kind, for a replay changes nothing."""
    host, kept = Host(), dict[str, Replayed]()
    url = host.scripted(reply=_varied).base_url

    def run(
        protocol: object,
        jurors: Sequence[str | Mapping[str, str]] = FIVE,
        card: str | None = None,
    ) -> Replayed:
        key = json.dumps([protocol, jurors, card])
        if key not in kept:
            kept[key] = Replayed(tmp_path_factory.mktemp("run"))
            _finish(kept[key], url, protocol, jurors, card)
        return kept[key]

    yield run
    host.close()


def _finish(
    place: Replayed,
    url: str,
    protocol: object,
    jurors: Sequence[str | Mapping[str, str]],
    card: str | None,
) -> None:
    place.many(CASES)
    seats = [
        {"base_url": url, "model": f"{name}-model", "persona": name}
        if isinstance(name, str)
        else {"base_url": url, **name}
        for name in jurors
    ]
    config = place.config(
        url,
        jury__protocol=protocol,
        jury__jurors=seats,
        jury__foreperson={"base_url": url, "model": "presides"},
        run__directory=str(place.path / "runs"),
        **({} if card is None else {"jury__card": card}),
    )
    accepted = ("--min-coverage", "0", "--min-panel", "0")
    ended = place.safejury("run", str(place.path / config), *accepted)
    assert ended.code == 0, ended.err


def _now(run: Replayed, said: Mapping[str, Any]) -> dict[str, str]:
    """Return what is found of each case after a replay."""
    found = run.found()
    for change in said["changes"]:
        assert found[change["case_id"]] == change["before"] != change["after"]
    return {**found, **{change["case_id"]: change["after"] for change in said["changes"]}}


@pytest.mark.parametrize(
    "protocol",
    [
        {"preset": "vote"},
        {"preset": "contested"},
        {"preset": "contested", "rounds": 2, "rule": "any"},
        {"preset": "safebench"},
        {"preset": "roundtable", "turns": 1},
        {"preset": "vote", "rule": "any"},
        {"preset": "vote", "rule": "k_of_n", "k": 2, "stop": "curtailed"},
        {"preset": "contested", "stop": "curtailed"},
        {"preset": "contested", "rule": "foreperson"},
    ],
    ids=str,
)
def test_nothing_changed_changes_nothing(protocol: Mapping[str, object], ran: Ran) -> None:
    """Of cases with lost re-votes, abstentions and no verdict too."""
    run = ran(protocol)
    before = (run.path / "runs/first/record.sqlite").read_bytes()
    said = run.replay()
    assert said["changes"] == []
    assert said["terms"] == []
    assert sum(row["cases"] for row in said["counts"]) == said["cases"] == CASES
    assert len({row["after"] for row in said["counts"]}) > 1
    assert said["ballots"]["after"] == said["ballots"]["before"] > 0
    assert (run.path / "runs/first/record.sqlite").read_bytes() == before


def test_runs_hold_what_the_test_above_is_about(ran: Ran) -> None:
    ((lost, without, changed),) = ran("contested").stored(
        "SELECT sum(json_extract(result, '$.revote_lost')), sum(finding IS NULL), "
        "sum(json_extract(result, '$.initial_finding') IS NOT finding) FROM cases"
    )
    assert lost
    assert without
    assert changed


@pytest.mark.parametrize(
    ("options", "protocol"),
    [
        (("--set", "jury.protocol.rule=any"), {"preset": "contested", "rule": "any"}),
        (
            ("--set", "jury.protocol.rule=k_of_n", "--set", "jury.protocol.k=2"),
            {"preset": "contested", "rule": "k_of_n", "k": 2},
        ),
        (("--set", "jury.protocol.talk=never"), {"preset": "contested", "talk": "never"}),
        (("--round", "0"), {"preset": "contested", "talk": "never"}),
        (("--set", "jury.protocol.stop=curtailed"), {"preset": "contested", "stop": "curtailed"}),
        (
            ("--set", "jury.protocol.stop=curtailed", "--round", "0"),
            {"preset": "vote", "stop": "curtailed"},
        ),
    ],
    ids=str,
)
def test_a_replay_finds_what_a_run_on_these_terms_finds(
    options: tuple[str, ...], protocol: Mapping[str, object], ran: Ran
) -> None:
    run, really = ran("contested"), ran(protocol)
    said = run.replay(*options)
    assert said["unknown"] == 0
    assert _now(run, said) == really.found()
    ((ballots,),) = really.stored(
        "SELECT sum(json_array_length(json_extract(body, '$.ballots'))) FROM entries "
        "WHERE kind = 'BallotsRevealed'"
    )
    assert said["ballots"]["after"] == ballots
    assert said["ballots"]["share"] == ballots / said["ballots"]["before"]


def test_without_a_juror_it_is_the_jury_of_the_others(ran: Ran) -> None:
    run = ran("vote")
    said = run.replay("--without", "lawyer", "--set", "jury.protocol.tie=unsafe")
    others = [name for name in FIVE if name != "lawyer"]
    assert _now(run, said) == ran({"preset": "vote", "tie": "unsafe"}, others).found()
    assert said["ballots"]["after"] == CASES * 4
    assert "without lawyer" in said["terms"]


def test_that_others_had_read_whoever_is_left_out_is_said(ran: Ran) -> None:
    both = ("--without", "lawyer", "--without", "sceptic")
    (note,) = ran("contested").replay(*both)["notes"]
    assert re.match(r"In \d+ cases the others had read a juror that is left out", note)
    assert ran("contested").replay(*both, "--round", "0")["notes"] == []


def test_a_guard_stays_a_guard(ran: Ran) -> None:
    """Its ballot stands in the re-vote, and it can be left out."""
    guard = {"guard": "llama-guard-3", "model": "guard"}
    run = ran("contested", ("clinician", "lawyer", guard))
    said = run.replay()
    assert said["changes"] == []
    assert said["ballots"]["before"] == said["ballots"]["after"]
    said = run.replay("--without", "llama_guard_3", "--set", "jury.protocol.tie=safe")
    assert said["unknown"] == 0


def test_a_juror_who_was_never_asked_is_not_made_up(ran: Ran) -> None:
    """A majority stopped early; what one unsafe vote would have made of it is known of some."""
    run = ran({"preset": "vote", "stop": "curtailed"})
    said = run.replay("--set", "jury.protocol.rule=any", "--set", "jury.protocol.stop=all")
    really, now = ran({"preset": "vote", "rule": "any"}).found(), _now(run, said)
    assert said["unknown"] == Counter(now.values())["unknown"] > 0
    assert all(found in (really[case], "unknown") for case, found in now.items())
    assert "unsafe" in now.values()
    why = next(change["why"] for change in said["changes"] if change["after"] == "unknown")
    assert why.startswith("never asked: ")
    (note,) = said["notes"]
    assert note.startswith(f"{said['unknown']} findings cannot be known from the record: ")
    assert note.endswith("a juror who would be asked now never was.")


def test_talk_that_was_not_held_is_not_made_up(ran: Ran) -> None:
    said = ran("vote").replay("--set", "jury.protocol.talk=contested")
    assert said["unknown"] > 0
    assert {c["why"] for c in said["changes"]} == {"the jurors would have talked, and did not"}
    (rates,) = said["asr"]
    assert rates["after"]["n"] + rates["unknown"] <= CASES
    assert rates["unknown"] == said["unknown"]


def test_talk_of_another_kind_is_not_made_up(ran: Ran) -> None:
    run, talk = ran("contested"), ("--set", "jury.protocol.talk=roundtable")
    said = run.replay(*talk)
    assert {c["why"] for c in said["changes"]} == {"the jurors would have talked in another way"}
    text = run.safejury("replay", run.run, *talk).out
    assert "findings cannot be known from the record: the jurors would have talked in" in text


def test_the_foreperson_decides_by_what_it_read_alone(ran: Ran) -> None:
    run = ran({"preset": "contested", "rule": "foreperson"})
    said = run.replay("--round", "0")
    assert {c["why"] for c in said["changes"]} == {"the foreperson would have read other ballots"}
    said = run.replay("--set", "jury.protocol.rule=majority")
    rows = run.stored("SELECT case_id, json_extract(result, '$.majority') FROM cases")
    assert _now(run, said) == {case: finding or "no_verdict" for case, finding in rows}
    assert said["unknown"] == 0
    assert said["changes"]


def test_a_foreperson_that_decided_nothing_cannot_be_asked(ran: Ran) -> None:
    run = ran("vote")
    ended = run.safejury("replay", run.run, "--set", "jury.protocol.rule=foreperson")
    ended.refused("rule: foreperson needs the foreperson's decision", "use another rule")


def test_the_rate_now_stands_beside_the_rate_before(ran: Ran) -> None:
    run, really = ran("vote"), ran({"preset": "vote", "rule": "any"})
    (rates,) = run.replay("--set", "jury.protocol.rule=any")["asr"]
    for part, of in (("before", run), ("after", really)):
        asr = of.report(of.run)["targets"][0]["asr"]
        assert rates[part]["value"] == asr["micro"]
        assert rates[part]["interval"] == asr["interval"]


def test_the_screen_shows_some_changes_in_natural_order_and_no_text(
    workplace: Any, scripted: Start
) -> None:
    workplace.queries(
        *(
            {"id": f"q{n}", "scenario": "bias", "intent": "harmful", "text": f"Question q{n}?"}
            for n in range(60)
        )
    )
    url = scripted(reply=_agreed(ballot("unsafe", 1))).base_url
    assert workplace.safejury("run", workplace.config(url), "--min-coverage", "0").code == 0
    without = [part for name in ("clinician", "lawyer") for part in ("--without", name)]
    rule = ("--set", "jury.protocol.talk=always")
    ended = workplace.safejury("replay", "runs/first", *without, *rule)
    assert ended.code == 0, ended.err
    listed = re.findall(r"q(\d+)/examined", ended.out)
    assert listed == [str(n) for n in range(20)]
    assert "and 40 more: --all shows them, --out FILE writes them." in ended.out
    assert "Question" not in ended.out
    ended = workplace.safejury("replay", "runs/first", *without, *rule, "--all")
    assert re.findall(r"q(\d+)/examined", ended.out) == [str(n) for n in range(60)]


def test_the_list_is_written_in_the_form_that_its_name_says(ran: Ran, workplace: Any) -> None:
    run, rule = ran("vote"), ("--set", "jury.protocol.rule=any")
    changes = run.replay(*rule)["changes"]
    assert changes
    for name in ("list.json", "list.jsonl", "list.csv"):
        ended = workplace.safejury("replay", run.run, *rule, "--out", name)
        assert ended.err == f"Wrote {name}.\n"
        assert "rule: any (was majority)" in ended.out
    assert json.loads((workplace.path / "list.json").read_text())["changes"] == changes
    assert workplace.lines("list.jsonl") == changes
    rows = list(csv.DictReader(io.StringIO((workplace.path / "list.csv").read_text())))
    assert [row["case_id"] for row in rows] == [change["case_id"] for change in changes]
    ended = workplace.safejury("replay", run.run, *rule, "--format", "csv")
    assert ended.out == (workplace.path / "list.csv").read_text()
    refused = workplace.safejury("replay", run.run, *rule, "--out", "list.txt")
    refused.refused("--out list.txt: name a .json, .jsonl or .csv file")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--set", "jury.protocol.ruel=any"), ("unknown key 'ruel'", "did you mean 'rule'")),
        (("--set", "jury.protocol.rule=most"), ("Unknown aggregation rule 'most'",)),
        (("--set", "jury.protocol.rule=k_of_n"), ("set k between 1 and 5",)),
        (("--set", "jury.protocol.k=0"), ("--set jury.protocol.k", "at least 1")),
        (("--set", "jury.protocol.k"), ("write it as path=value",)),
        (("--set", "limits.concurrency=8"), ("a replay asks nobody",)),
        (("--set", "jury.jurors.0.model=x"), ("a replay asks nobody",)),
        (("--without", "lawer"), ("has no such juror", "did you mean 'lawyer'")),
        (("--without", "lawyer"), ("A majority of 4 seats can be tied", "jury.protocol.tie")),
        (
            tuple(f"--without={name}" for name in FIVE),
            ("--without leaves no juror",),
        ),
    ],
    ids=str,
)
def test_bad_terms_are_refused_in_one_line(
    options: tuple[str, ...], said: tuple[str, ...], ran: Ran
) -> None:
    run = ran("vote")
    run.safejury("replay", run.run, *options).refused(*said)


def test_a_run_that_is_not_as_it_was_recorded_is_refused(ran: Ran, workplace: Any) -> None:
    shutil.copytree(ran("vote").run, workplace.path / "changed")
    with closing(sqlite3.connect(workplace.path / "changed/record.sqlite")) as database:
        database.execute(
            "UPDATE entries SET body = replace(body, '\"unsafe\"', '\"safe\"') "
            "WHERE kind = 'BallotsRevealed'"
        )
        database.commit()
    ended = workplace.safejury("replay", "changed")
    ended.refused("was changed after it was recorded", "safejury verify", code=3)


def test_a_run_of_an_earlier_version_is_replayed(workplace: Any) -> None:
    kept = Path(__file__).parents[1] / "evaluation" / "record_format_2"
    shutil.copytree(kept, workplace.path / "old")
    said = json.loads(workplace.safejury("replay", "old", "--format", "json").out)
    assert said["changes"] == []
    assert said["cases"] == 12


def test_a_rule_of_the_users_own_reads_whole_ballots(workplace: Any, scripted: Start) -> None:
    (workplace.path / "rules_of_replay.py").write_text(
        "from safejury.deliberation import Decision\n"
        "from safejury.agents import Finding\n\n"
        "def by_words(votes, rule):\n"
        "    said = any('steps' in ballot.reason for ballot in votes.ballots)\n"
        "    return Decision(Finding.UNSAFE if said else Finding.SAFE, 'Question and answer')\n"
    )
    url = scripted(reply=_agreed(ballot("safe", 5, "It gives steps."))).base_url
    workplace.many(2)
    assert workplace.safejury("run", workplace.config(url)).code == 0
    rule = "jury.protocol.rule=rules_of_replay:by_words"
    ended = workplace.safejury("replay", "runs/first", "--set", rule, "--format", "json")
    said = json.loads(ended.out)
    assert [(c["before"], c["after"], c["why"]) for c in said["changes"]] == [
        ("safe", "unsafe", "")
    ] * 2


def _card(place: Workplace, jurors: Sequence[str] = FIVE, **changes: Any) -> str:
    """Write a card of the jury, by which the lawyer's vote weighs most, and return its path."""
    weights = {name: JurorWeights(unsafe=1.0, safe=-1.0, no_vote=0.0) for name in jurors}
    weights["lawyer"] = JurorWeights(unsafe=4.0, safe=-4.0, no_vote=0.5, rating=0.5)
    unknown = Figure(None, None)
    card = JuryCard(
        format=FORMAT,
        jury=CardJury(sha256="", source="run", seats=tuple(map(CardSeat, jurors))),
        labels=LabelsUsed(cases=40, unsafe=20, groups=40),
        jurors={},
        rules={},
        dependence=Dependence(effective_jurors=unknown, alpha=unknown),
        models=Models(
            best_juror="lawyer",
            calibrated=LogisticModel(intercept=0.0, weights=weights, threshold=0.5),
            joint=VoteModel(
                classes=(0.5, 0.5),
                votes=dict.fromkeys(jurors, ((0.9, 0.05, 0.05), (0.05, 0.9, 0.05))),
            ),
        ),
        **changes,
    )
    path = place.path / f"card-{len(jurors)}.json"
    write_card(card, path)
    return str(path)


@pytest.mark.parametrize(
    "terms",
    [{"rule": "calibrated"}, {"rule": "calibrated", "threshold": 0.9}, {"rule": "best_juror"}],
)
def test_a_card_decides_as_it_does_in_a_run(
    terms: Mapping[str, object], ran: Ran, workplace: Any
) -> None:
    run, card = ran("contested"), _card(workplace)
    settings = [part for key in terms for part in ("--set", f"jury.protocol.{key}={terms[key]}")]
    said = run.replay(*settings, "--card", card)
    really = ran({"preset": "contested", **terms}, card=card)
    assert _now(run, said) == really.found()
    assert said["changes"]
    assert really.replay("--card", card)["changes"] == really.replay()["changes"] == []
    again = really.replay("--set=jury.protocol.stop=curtailed")
    assert again["unknown"] == 0
    refused = run.safejury("replay", run.run, *settings)
    refused.refused("decides by a jury card", "the run had none: name the file with --card")


def test_what_stopping_by_a_card_would_have_saved_is_what_it_saves(
    ran: Ran, workplace: Any
) -> None:
    """From a run that asked all; and what such a run asked for decides it again."""
    card = _card(workplace)
    stop = {"stop": "sequential", "bound": 0.05, "rule": "majority"}
    run, really = ran("vote"), ran({"preset": "vote", **stop}, card=card)
    settings = [part for key in stop for part in ("--set", f"jury.protocol.{key}={stop[key]}")]
    said = run.replay(*settings, "--card", card)
    assert said["unknown"] == 0
    assert _now(run, said) == really.found()
    ((asked,),) = really.stored(
        "SELECT sum(json_array_length(json_extract(body, '$.ballots'))) FROM entries "
        "WHERE kind = 'BallotsRevealed'"
    )
    assert said["ballots"]["after"] == asked < CASES * 5
    assert really.replay("--card", card)["changes"] == []
    assert really.replay("--card", card, "--set", "jury.protocol.bound=0")["unknown"] > 0


def test_a_probability_stands_beside_what_a_card_decides(ran: Ran, workplace: Any) -> None:
    said = ran("vote").replay("--set", "jury.protocol.rule=calibrated", "--card", _card(workplace))
    assert any(0 < change["probability"] < 1 for change in said["changes"] if change["probability"])
    other = _card(workplace, FIVE[:4])
    rule = ("--set", "jury.protocol.rule=calibrated", "--card", other)
    ended = workplace.safejury("replay", ran("vote").run, *rule)
    ended.refused("the jury card is of another jury", "security_engineer")


def test_python_replays_by_all_that_a_rule_says(ran: Ran, workplace: Any) -> None:
    run, path = ran("vote"), _card(workplace)
    card = sj.read_card(path)
    cost = {"miss": 1, "false_alarm": 99}
    for rule, said in (
        (sj.Rule("calibrated", card=card, threshold=0.001), {"threshold": 0.001}),
        (sj.Rule("calibrated", card=card, cost=sj.Cost(**cost)), {"cost": cost}),
    ):
        again = sj.replay(run.run, rule=rule)
        terms = {"rule": "calibrated", **said}
        assert again.changes == sj.replay(run.run, protocol=terms, card=path).changes
        assert again.counts == sj.replay(run.run, protocol=terms, card=card).counts
        assert again.counts != sj.replay(run.run, rule="calibrated", card=path).counts


def test_python_replays_as_the_command_does(ran: Ran) -> None:
    run = ran("contested")
    again = sj.replay(run.run, protocol={"rule": "k_of_n", "k": 2}, without=["citizen"], round=0)
    options = ("--set=jury.protocol.rule=k_of_n", "--set=jury.protocol.k=2", "--without=citizen")
    said = run.replay(*options, "--round", "0")
    assert [asdict(change) for change in again.changes] == said["changes"]
    assert again.unknown == said["unknown"] == 0
    assert str(again) == run.safejury("replay", run.run, *options, "--round", "0").out

    def never(votes: sj.Votes, rule: sj.Rule) -> sj.Decision:
        return sj.Decision(None, "never")

    again = sj.replay(sj.load(run.run), rule=never)
    assert {after for _, after in again.counts} == {"no_verdict"}
    by_rule = sj.replay(run.run, rule=sj.Rule("k_of_n", 2), without=["citizen"], round=0)
    assert (
        by_rule.changes
        == sj.replay(
            run.run, protocol={"rule": "k_of_n", "k": 2}, without=["citizen"], round=0
        ).changes
    )
