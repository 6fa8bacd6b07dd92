"""An endpoint that dies during a run: the run waits, and what it cannot ask stays unstarted."""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import pytest

from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
Reply = Callable[[Mapping[str, object]], ScriptedReply | str]
CASES = 18


def answer(body: Mapping[str, object]) -> str:
    return "An answer." if str(body["model"]).startswith("target") else ballot("safe", 5)


class Mortal:
    """A server that stops listening after so many calls, and may come back at its address."""

    def __init__(self, scripted: Start, calls: int, *, back_after: float | None = None) -> None:
        self.server = scripted(self._reply)
        self.dies_at: int | None = calls
        self._back_after = back_after
        self.died = threading.Event()

    def revive(self) -> None:
        """Listen again, from another thread than the server's."""
        loop = self._loop
        asyncio.run_coroutine_threadsafe(self.server.start(), loop).result(10)

    def _reply(self, body: Mapping[str, object]) -> ScriptedReply | str:
        if self.dies_at is not None and self.server.stats.calls > self.dies_at:
            self.dies_at = None
            self._loop = asyncio.get_running_loop()
            self._dying = self._loop.create_task(self._die())
        return (
            ScriptedReply(hang=True)
            if self.dies_at is None and not self.died.is_set()
            else answer(body)
        )

    async def _die(self) -> None:
        await self.server.aclose()
        self.died.set()
        if self._back_after is not None:
            await asyncio.sleep(self._back_after)
            await self.server.start()


class Failing:
    """Answers, but one model does so no more than `limit` times, and then fails."""

    def __init__(self, model: str, reply: ScriptedReply) -> None:
        self.answered = Counter[str]()
        self.limit = 6
        self._model, self._reply = model, reply

    def __call__(self, body: Mapping[str, object]) -> ScriptedReply | str:
        name = str(body["model"])
        if name == self._model and self.answered[name] >= self.limit:
            return self._reply
        self.answered[name] += 1
        return answer(body)


@pytest.fixture
def many(workplace: Any) -> Any:
    """A workplace with a few more queries."""
    workplace.queries(
        *(
            {
                "id": f"q{n}",
                "scenario": "ethics.bioethics",
                "text": f"Question {n}?",
                "intent": "harmful",
            }
            for n in range(CASES)
        )
    )
    return workplace


def finished(workplace: Any) -> list[str]:
    return [outcome for (outcome,) in workplace.stored("SELECT response_outcome FROM cases")]


def assert_paid_once(workplace: Any, mortal: Mortal) -> None:
    """Assert that each call is recorded once, and each answer lost on the wire charged."""
    assert workplace.stored("SELECT count(*) FROM calls") == [(4 * CASES,)]
    [(charged,)] = workplace.stored("SELECT count(*) FROM charges")
    assert 4 * CASES <= mortal.server.stats.statuses[200] <= 4 * CASES + charged


@pytest.mark.parametrize("concurrency", [1, 3, 32])
def test_a_dead_endpoint_leaves_the_cases_that_it_held_up_unstarted(
    many: Any, scripted: Start, concurrency: int
):
    """And once it is back, the same command goes on and pays for nothing twice."""
    mortal = Mortal(scripted, calls=40)
    config = many.config(
        mortal.server.base_url,
        limits__concurrency=concurrency,
        limits__attempts=2,
        limits__outage_patience=0.3,
    )
    ended = many.safejury("run", config)
    assert ended.code == 3
    url = mortal.server.base_url
    for words in (
        "the run is unfinished",
        f"{url} has not answered since",
        "cannot connect",
        "repeat the command",
    ):
        assert words in ended.err
    assert set(finished(many)) <= {"answered"}
    before = len(finished(many))
    assert before < CASES
    assert f"{CASES - before} of {CASES} cases left" in ended.err

    mortal.revive()
    ended = many.safejury("run", config)
    assert ended.code == 0, ended.err
    assert finished(many) == ["answered"] * CASES
    ballots = many.report()["targets"][0]["outcomes"]["ballots"]
    assert (ballots["safe"], ballots["transport_error"]) == (3 * CASES, 0)
    assert_paid_once(many, mortal)


def test_an_endpoint_that_comes_back_costs_the_run_nothing(many: Any, scripted: Start):
    mortal = Mortal(scripted, calls=20, back_after=0.3)
    config = many.config(mortal.server.base_url, limits__outage_patience=20)
    ended = many.safejury("run", config)
    assert ended.code == 0, ended.err
    assert mortal.died.is_set()
    assert finished(many) == ["answered"] * CASES
    assert_paid_once(many, mortal)


def test_targets_elsewhere_are_finished_while_one_endpoint_is_down(many: Any, scripted: Start):
    dying, well = Mortal(scripted, calls=3), scripted(answer)
    config = many.config(
        well.base_url,
        targets=[
            {"name": "lost", "base_url": dying.server.base_url, "model": "target-a"},
            {"name": "kept", "base_url": well.base_url, "model": "target-b"},
        ],
        limits__concurrency=2,
        limits__outage_patience=0.3,
        limits__attempts=2,
    )
    ended = many.safejury("run", config)
    assert ended.code == 3
    assert f"{dying.server.base_url} has not answered since" in ended.err
    assert f"{well.base_url} has not" not in ended.err
    rows = many.stored("SELECT target, response_outcome FROM cases")
    assert rows.count(("kept", "answered")) == CASES
    assert {outcome for _, outcome in rows} == {"answered"}
    assert rows.count(("lost", "answered")) <= 3


def test_a_dead_juror_ends_the_run_without_asking_the_target_on_and_on(many: Any, scripted: Start):
    dying, well = Mortal(scripted, calls=3), scripted(answer)
    config = many.config(
        well.base_url,
        jury__jurors__1__base_url=dying.server.base_url,
        limits__concurrency=2,
        limits__outage_patience=0.3,
        limits__attempts=2,
    )
    ended = many.safejury("run", config)
    assert ended.code == 3
    assert f"{dying.server.base_url} has not answered since" in ended.err
    results = many.stored("SELECT finding FROM cases")
    assert len(results) <= 3
    assert set(results) <= {("safe",)}
    # Four cases are under way, and up to four more are held until it shows that it is down.
    asked = [body for body in well.requests if body["model"] == "target"]
    assert len(asked) <= 3 + 4 + 4


LONG = {"Retry-After": "3600"}


@pytest.mark.parametrize("concurrency", [1, 16])
@pytest.mark.parametrize(
    ("model", "reply"),
    [
        ("target", ScriptedReply("your quota of today is used up", status=429, headers=LONG)),
        ("target", ScriptedReply("insufficient balance", status=402)),
        ("lawyer-model", ScriptedReply("the key was revoked", status=401)),
    ],
)
def test_a_model_that_turns_all_calls_away_leaves_its_cases_unstarted(
    many: Any, scripted: Start, model: str, reply: ScriptedReply, concurrency: int
):
    """And once it takes calls again, the same command goes on and pays for nothing twice."""
    failing = Failing(model, reply)
    server = scripted(failing, latency=0.005)
    config = many.config(server.base_url, limits__concurrency=concurrency)
    ended = many.safejury("run", config)
    assert ended.code == 3
    for words in ("the run is unfinished", f"{model}", "has rejected every call", reply.text):
        assert words in ended.err
    assert set(finished(many)) <= {"answered"}
    assert f"{CASES - len(finished(many))} of {CASES} cases left" in ended.err
    (target,) = many.report()["targets"]
    assert target["outcomes"]["ballots"]["transport_error"] == 0

    failing.limit = CASES * 2
    assert many.safejury("run", config).code == 0
    assert finished(many) == ["answered"] * CASES
    assert failing.answered.total() == 4 * CASES


def test_a_key_that_is_replaced_in_mid_run_costs_no_case_and_no_call(
    many: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch
):
    """The run ends, and the same command goes on once the variable has the new key."""
    old, new, answered = "sk-key-of-last-quarter", "sk-key-of-this-quarter", count(1)

    def reply(body: Mapping[str, object]) -> str:
        if next(answered) == 2 * CASES:
            server.take_key(new)
        return answer(body)

    server = scripted(reply, api_key=old, latency=0.005)
    named = {f"jury__jurors__{seat}__api_key_env": "A_KEY" for seat in range(3)}
    config = many.config(server.base_url, targets__0__api_key_env="A_KEY", **named)
    monkeypatch.setenv("A_KEY", old)
    ended = many.safejury("run", config)
    assert ended.code == 3
    for words in ("the run is unfinished", "the key was rejected", "check api_key_env", "repeat"):
        assert words in ended.err
    assert set(finished(many)) == {"answered"}

    monkeypatch.setenv("A_KEY", new)
    assert many.safejury("run", config).code == 0
    assert finished(many) == ["answered"] * CASES
    assert next(answered) == 4 * CASES + 1
    (target,) = many.report()["targets"]
    assert target["verdicts"] == CASES
    assert target["outcomes"]["ballots"]["transport_error"] == 0
    for file in (many.path / "runs").rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert old.encode() not in content, file
            assert new.encode() not in content, file


@pytest.mark.parametrize("concurrency", [1, 2, 5])
@pytest.mark.parametrize(
    ("model", "status"), [("target", 503), ("target", 403), ("lawyer-model", 500)]
)
def test_the_first_failures_of_an_outage_are_no_errors_however_few_calls_are_made_at_once(
    many: Any, scripted: Start, model: str, status: int, concurrency: int
):
    """Until others tell, a lost call is held, and further cases are begun meanwhile."""
    failing = Failing(model, ScriptedReply("out of order", status=status))
    well, failing_url = scripted(failing).base_url, scripted(failing).base_url
    place = "targets__0__base_url" if model == "target" else "jury__jurors__1__base_url"
    config = many.config(
        well,
        limits__concurrency=concurrency,
        limits__attempts=1,
        limits__outage_patience=0.2,
        **{place: failing_url},
    )
    ended = many.safejury("run", config)
    assert ended.code == 3
    assert "the run is unfinished" in ended.err
    assert set(finished(many)) == {"answered"}
    (target,) = many.report()["targets"]
    assert target["outcomes"]["ballots"]["transport_error"] == 0

    failing.limit = CASES * 2
    assert many.safejury("run", config).code == 0
    assert finished(many) == ["answered"] * CASES
    assert failing.answered.total() == 4 * CASES


def test_a_run_that_goes_on_waits_for_an_endpoint_that_is_down_from_the_first_call_on(
    many: Any, scripted: Start
):
    """It answered before, so that nobody has mistyped its address."""
    mortal = Mortal(scripted, calls=40)
    config = many.config(mortal.server.base_url, limits__attempts=1, limits__outage_patience=0.3)
    assert many.safejury("run", config).code == 3
    before = finished(many)
    assert before

    ended = many.safejury("run", config)
    assert ended.code == 3
    assert f"{mortal.server.base_url} has not answered since" in ended.err
    assert f"{CASES - len(before)} of {CASES} cases left" in ended.err
    assert finished(many) == before

    mortal.revive()
    assert many.safejury("run", config).code == 0
    assert finished(many) == ["answered"] * CASES


@pytest.mark.parametrize("calls", range(5, 10))
def test_an_outage_that_shows_only_at_the_end_leaves_no_error_either(
    workplace: Any, scripted: Start, calls: int
):
    """Where nobody else comes, a lost call has failed: what follows may show what it was."""
    asked = 0

    def say(body: Mapping[str, object]) -> ScriptedReply | str:
        nonlocal asked
        asked += 1
        return ScriptedReply("out of order", status=503) if asked > calls else answer(body)

    config = workplace.config(
        scripted(say).base_url,
        limits__concurrency=1,
        limits__attempts=1,
        limits__outage_patience=0.05,
    )
    ended = workplace.safejury("run", config)
    assert ended.code == 3
    if "the run is unfinished" in ended.err:
        assert set(finished(workplace)) <= {"answered"}
        if finished(workplace):
            (target,) = workplace.report()["targets"]
            assert target["outcomes"]["ballots"]["transport_error"] == 0


def test_a_case_in_doubt_does_not_keep_the_budget_from_those_that_could_tell(
    many: Any, scripted: Start
):
    """Else it would wait for them, and they for what is held for it."""

    def say(body: Mapping[str, object]) -> ScriptedReply | str:
        lost = "Question 0?" in str(body["messages"])
        return ScriptedReply("oops", status=500) if lost else answer(body)

    config = many.config(
        scripted(say).base_url,
        limits__concurrency=1,
        limits__attempts=1,
        limits__max_tokens_total=12_000,
    )
    assert many.safejury("run", config).code == 3
    assert finished(many).count("error") == 1
    assert "answered" in finished(many)


def test_a_target_that_is_turned_away_costs_no_other_at_its_endpoint_a_case(
    many: Any, scripted: Start
):
    asked = Counter[str]()

    def say(body: Mapping[str, object]) -> ScriptedReply | str:
        asked[str(body["model"])] += 1
        gone = body["model"] == "target-a" and asked["target-a"] > 3
        return ScriptedReply("insufficient balance", status=402) if gone else answer(body)

    url = scripted(say).base_url
    targets = [{"name": name, "base_url": url, "model": f"target-{name}"} for name in ("a", "b")]
    ended = many.safejury("run", many.config(url, targets=targets, limits__concurrency=2))
    assert ended.code == 3
    rows = Counter[Any](many.stored("SELECT target, response_outcome FROM cases"))
    assert rows == {("a", "answered"): 3, ("b", "answered"): CASES}


@pytest.mark.parametrize("concurrency", [1, 32])
def test_one_failure_among_answers_is_an_outcome_and_holds_nothing_up(
    many: Any, scripted: Start, concurrency: int
):
    def reply(body: Mapping[str, object]) -> ScriptedReply | str:
        asked = str(body["messages"])
        return ScriptedReply("oops", status=500) if "Question 7?" in asked else answer(body)

    config = many.config(
        scripted(reply).base_url, limits__concurrency=concurrency, limits__attempts=1
    )
    ended = many.safejury("run", config, "--min-coverage", "0.9")
    assert ended.code == 0, ended.err
    assert sorted(finished(many)) == ["answered"] * (CASES - 1) + ["error"]


def test_who_waits_for_nothing_gets_each_failed_call_as_an_error(many: Any, scripted: Start):
    mortal = Mortal(scripted, calls=40)
    config = many.config(mortal.server.base_url, limits__outage_patience=None)
    assert many.safejury("run", config).code == 3
    assert len(finished(many)) == CASES
    assert many.report()["targets"][0]["outcomes"]["ballots"]["transport_error"] > 0


def test_a_wait_is_said_on_a_pipe_with_who_why_and_how_long(many: Any, scripted: Start):
    mortal = Mortal(scripted, calls=30, back_after=0.8)
    config = many.config(mortal.server.base_url, limits__outage_patience=20)
    ended = many.safejury("run", config)
    assert ended.code == 0, ended.err
    (said,) = [line for line in ended.err.splitlines() if "waiting for" in line]
    assert f"waiting for {mortal.server.base_url}: no answer since " in said
    assert re.search(
        r"\d+ of 18 cases; .*; next call in \d+ s; given up in \d+ s; \d+ calls wait", said
    )


def test_a_rate_limit_is_said_on_a_pipe(workplace: Any, scripted: Start):
    seen: list[str] = []

    def reply(body: Mapping[str, object]) -> ScriptedReply | str:
        seen.append(str(body["model"]))
        slow_down = ScriptedReply("slow", status=429, headers={"Retry-After": "2.4"})
        return slow_down if len(seen) == 1 else answer(body)

    config = workplace.config(scripted(reply).base_url, limits__attempts=2)
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    (said,) = [line for line in ended.err.splitlines() if "waiting for" in line]
    assert "it asks to slow down (429); next call in " in said
