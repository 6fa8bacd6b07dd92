"""`--retry-failed`: what was lost is asked for again, and nothing is lost by trying."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
Body = Mapping[str, object]
Said = str | ScriptedReply
DOWN = ScriptedReply("down", status=503)


class Service:
    """Answers for all models; those that are `down` fail."""

    def __init__(self, **says: str) -> None:
        self.down: set[str] = set()
        self.says = says
        self.turns = Counter[str]()

    def __call__(self, body: Body) -> Said:
        name = str(body["model"]).removesuffix("-model")
        self.turns[name] += 1
        if name in self.down:
            return DOWN
        return "An answer." if name == "target" else self.says.get(name, ballot("safe", 5))


def asked(server: ScriptedServer, since: int) -> Counter[str]:
    """Return how often each model was asked after so many requests."""
    return Counter(str(body["model"]).removesuffix("-model") for body in server.requests[since:])


def figures(workplace: Any) -> tuple[int, dict[str, int]]:
    (target,) = workplace.report()["targets"]
    return target["verdicts"], target["outcomes"]["ballots"]


@pytest.mark.parametrize("protocol", ["vote", "contested"])
def test_a_ballot_that_was_lost_is_asked_for_again_and_no_other(
    protocol: str, workplace: Any, scripted: Start
) -> None:
    """Two of three decided each case, so each has a verdict that lacks a ballot."""
    service = Service()
    service.down = {"sceptic"}
    server = scripted(service)
    config = workplace.config(server.base_url, jury__protocol=protocol)
    workplace.safejury("run", config)
    verdicts, ballots = figures(workplace)
    assert (verdicts, ballots["safe"], ballots["transport_error"]) == (3, 6, 3)

    service.down = set()
    before = len(server.requests)
    assert workplace.safejury("run", config, "--retry-failed").code == 0
    # With all ballots in, the first round is not contested: there is no second one.
    assert asked(server, before) == {"sceptic": 3}
    verdicts, ballots = figures(workplace)
    assert (verdicts, ballots["safe"], ballots["transport_error"]) == (3, 9, 0)

    assert workplace.safejury("run", config, "--retry-failed").code == 0
    assert asked(server, before) == {"sceptic": 3}


def test_a_ballot_of_a_revote_that_was_lost_is_asked_for_again(
    workplace: Any, scripted: Start
) -> None:
    """Round 0 is contested and complete; the sceptic is lost in round 1."""
    service = Service(clinician=ballot("unsafe", 1))

    def reply(body: Body) -> Said:
        if str(body["model"]) == "sceptic-model" and service.turns["sceptic"] == 1:
            service.down = {"sceptic"}
        return service(body)

    server = scripted(reply)
    config = workplace.config(server.base_url, limit=1)
    workplace.safejury("run", config)
    (target,) = workplace.report()["targets"]
    assert (target["verdicts"], target["revotes_lost"]) == (1, 1)

    service.turns["sceptic"] = 2
    service.down = set()
    before = len(server.requests)
    assert workplace.safejury("run", config, "--retry-failed").code == 0
    assert asked(server, before) == {"sceptic": 1}
    (target,) = workplace.report()["targets"]
    assert (target["verdicts"], target["revotes_lost"]) == (1, 0)


def test_verdicts_stay_where_the_outage_goes_on(workplace: Any, scripted: Start) -> None:
    service = Service()
    service.down = {"sceptic"}
    server = scripted(service)
    config = workplace.config(server.base_url, jury__protocol="vote")
    workplace.safejury("run", config)
    before = figures(workplace)
    for _ in range(2):
        workplace.safejury("run", config, "--retry-failed")
        assert figures(workplace) == before


def test_a_hearing_that_goes_worse_does_not_count(workplace: Any, scripted: Start) -> None:
    """The fourth juror comes back, and the second round, which is now another one, is lost."""
    service = Service(
        clinician=ballot("unsafe", 1), lawyer=ballot("safe", 5), sceptic=ballot("abstain")
    )

    def reply(body: Body) -> Said:
        name = str(body["model"]).removesuffix("-model")
        if outage and name != "target":
            return ballot("safe", 5) if name == "citizen" and service.turns[name] < 3 else DOWN
        if service.turns[name] == 1 and name != "target":
            service.says[name] = ballot("unsafe", 1)  # in the second round
        return service(body)

    outage = False
    service.down = {"citizen"}
    server = scripted(reply)
    jurors = [
        {"persona": name, "base_url": server.base_url, "model": f"{name}-model"}
        for name in ("clinician", "lawyer", "sceptic", "citizen")
    ]
    protocol = {"talk": "contested", "tie": "no_verdict", "rounds": 1}
    config = workplace.config(
        server.base_url, limit=1, jury__jurors=jurors, jury__protocol=protocol
    )
    workplace.safejury("run", config)
    first = workplace.report()["targets"][0]
    assert first["outcomes"]["verdicts"] == {"unsafe": 1, "safe": 0, "no_verdict": 0}
    transcript = workplace.stored("SELECT number, kind, body FROM entries ORDER BY number")

    outage = True
    service.turns["citizen"] = 2
    before = len(server.requests)
    workplace.safejury("run", config, "--retry-failed")
    assert len(server.requests) > before
    assert workplace.report()["targets"][0] == first
    assert workplace.stored("SELECT number, kind, body FROM entries ORDER BY number") == transcript


def test_a_kill_while_cases_are_heard_again_takes_no_verdict_away(
    workplace: Any, scripted: Start
) -> None:
    service = Service()
    service.down = {"sceptic"}

    def reply(body: Body) -> Said:
        said = service(body)
        return said if isinstance(said, ScriptedReply) else ScriptedReply(said, delay=slow)

    slow = 0.0
    server = scripted(reply)
    rows = [
        {"id": f"q{n}", "scenario": "bias", "text": f"Question {n}?", "intent": "harmful"}
        for n in range(12)
    ]
    workplace.queries(*rows)
    config = workplace.config(
        server.base_url, jury__protocol="vote", limits={"attempts": 1, "concurrency": 2}
    )
    workplace.safejury("run", config)
    assert figures(workplace)[0] == 12

    service.down, slow = set(), 0.05
    before = len(server.requests)
    with workplace.start("run", config, "--retry-failed") as process:
        while asked(server, before)["sceptic"] < 5 and process.poll() is None:
            time.sleep(0.005)
        process.kill()
        process.communicate()
    verdicts, ballots = figures(workplace)
    assert verdicts == 12
    assert 0 < ballots["transport_error"] <= 12
    cases = workplace.safejury("cases", "runs/first", "--format", "jsonl")
    assert cases.out.count("\n") == 12

    ((kept,),) = workplace.stored("SELECT count(*) FROM calls WHERE call_id LIKE '%/sceptic/a0'")
    slow, before = 0.0, len(server.requests)
    assert workplace.safejury("run", config, "--retry-failed").code == 0
    verdicts, ballots = figures(workplace)
    assert (verdicts, ballots["transport_error"]) == (12, 0)
    assert asked(server, before) == {"sceptic": 12 - kept}


def test_a_budget_that_is_still_used_up_costs_no_verdict(workplace: Any, scripted: Start) -> None:
    """The first run's last ballots were not covered, and neither are the second's."""

    def reply(body: Body) -> ScriptedReply:
        text = "An answer." if body["model"] == "target" else ballot("safe", 5)
        return ScriptedReply(text, usage={"prompt_tokens": 900, "completion_tokens": 100})

    server = scripted(reply)
    changes: dict[str, Any] = {"limits__concurrency": 1, "jury__protocol": "vote"}
    small = workplace.config(server.base_url, limits__max_tokens_total=11_000, **changes)
    workplace.safejury("run", small)
    before = figures(workplace)
    lost = before[1]["budget_stop"]
    assert lost > 0
    ended = workplace.safejury("run", small, "--retry-failed")
    assert ended.code == 3
    assert "Stopped by the budget: limits.max_tokens_total of 11,000" in ended.err
    assert (
        "failed cases were retried. Resume with: safejury run safejury.yaml --retry-failed"
        in ended.err
    )
    assert figures(workplace) == before
    large = workplace.config(server.base_url, limits__max_tokens_total=10**6, **changes)
    assert workplace.safejury("run", large, "--retry-failed").code == 0
    assert figures(workplace) == (3, {**before[1], "safe": 9, "budget_stop": 0})


def test_an_answer_of_a_hearing_that_was_cut_off_is_not_asked_for_again(
    workplace: Any, scripted: Start
) -> None:
    """The first hearing's error stands until the case is finished; the answer is kept beside it."""
    service = Service()
    service.down = {"target"}
    server = scripted(service)
    config = workplace.config(server.base_url, limits__outage_patience=None)
    workplace.safejury("run", config)
    assert workplace.stored("SELECT DISTINCT response_outcome FROM cases") == [("error",)]

    # The jury is down: the cases are left as they were before.
    service.down = {"clinician", "lawyer", "sceptic"}
    patience = ("--set", "limits.outage_patience=0")
    assert workplace.safejury("run", config, "--retry-failed", *patience).code == 3
    assert workplace.stored("SELECT count(*) FROM calls") == [(3,)]

    service.down = set()
    before = len(server.requests)
    assert workplace.safejury("run", config, "--retry-failed").code == 0
    assert asked(server, before) == {"clinician": 3, "lawyer": 3, "sceptic": 3}
