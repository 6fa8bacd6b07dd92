"""Many hearings at once, hearings that are canceled, and hearings that fail."""

import asyncio
import logging
import re
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response as Said
from autogen_agentchat.messages import BaseChatMessage, TextMessage
from autogen_core import CancellationToken

from safejury.agents import Case, Finding
from safejury.common import FirstContactError, RecordError
from safejury.deliberation import (
    PRESETS,
    BallotsRevealed,
    CaseOpened,
    Entry,
    Jury,
    Protocol,
    Verdict,
    VerdictAnnounced,
)
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Body = Mapping[str, Any]
OpenJury = Callable[..., AbstractAsyncContextManager[Jury]]
CastBy = Callable[..., Callable[[Body], str | ScriptedReply]]
MakeCase = Callable[..., Case]
Words = Callable[[Body], str]
ReadCall = Callable[[Body], tuple[str, int]]

HANG = ScriptedReply(hang=True)
CASES = 200


@asynccontextmanager
async def _nothing_left_behind() -> AsyncGenerator[None, None]:
    before = asyncio.all_tasks()
    yield
    # Transports of closed connections need a turn of the loop to say goodbye.
    for _ in range(10):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what a server saw has no event
            await asyncio.sleep(0.002)


def _by_number(words: Words, read_call: ReadCall) -> Callable[[Body], str]:
    """Vote by the case: number % 3 jurors find it unsafe, each with the number as a reason."""

    def say(body: Body) -> str:
        text = words(body)
        (number,) = re.findall(r"Answer no\. (\d+)\.", text)
        name, held = read_call(body)
        if held:
            reasons = re.findall(r"(?:yours|another): .*: Case (\d+) said", text)
            assert reasons == [number] * 3, f"case {number} was told of {reasons}"
        unsafe = ("alpha", "bravo", "charlie").index(name) < int(number) % 3
        return ballot("unsafe" if unsafe else "safe", 2 if unsafe else 4, f"Case {number} said")

    return say


async def test_hundreds_of_cases_at_once_do_not_mix(
    open_jury: OpenJury, make_case: MakeCase, words: Words, read_call: ReadCall
) -> None:
    transcripts: dict[str, list[Entry]] = defaultdict(list)
    closed: set[str] = set()

    def clerk(entry: Entry) -> None:
        transcripts[entry.case_id].append(entry)

    async def hear(jury: Jury, case: Case) -> Verdict:
        verdict = await jury.hear(case)
        if isinstance(transcripts[case.id][-1], VerdictAnnounced):
            closed.add(case.id)
        return verdict

    cases = [make_case(number) for number in range(CASES)]
    async with (
        _nothing_left_behind(),
        ScriptedServer(_by_number(words, read_call), keep_requests=False) as server,
        open_jury(server, clerk=clerk) as jury,
        asyncio.TaskGroup() as group,
    ):
        hearings = [group.create_task(hear(jury, case)) for case in cases]
    assert closed == {case.id for case in cases}
    calls = Counter[int]()
    for number, (case, hearing) in enumerate(zip(cases, hearings, strict=True)):
        verdict, entries = hearing.result(), transcripts[case.id]
        assert verdict.finding is (Finding.UNSAFE if number % 3 == 2 else Finding.SAFE)
        assert [entry.number for entry in entries] == list(range(len(entries)))
        assert isinstance(entries[0], CaseOpened)
        assert entries[0].case == case
        assert isinstance(entries[-1], VerdictAnnounced)
        assert entries[-1].verdict == verdict
        for entry in entries:
            if isinstance(entry, BallotsRevealed):
                assert {cast.reason for cast in entry.ballots} == {f"Case {number} said"}
        calls[verdict.calls] += 1
    assert calls == {3: 67, 6: 133}
    assert server.stats.calls == 3 * 67 + 6 * 133


STAGES: list[tuple[str, str | Protocol, int, list[str | ScriptedReply]]] = [
    ("round 0", "contested", 3, [HANG]),
    ("round 1", "contested", 6, [ballot("unsafe", 1), HANG]),
    ("summing-up", replace(PRESETS["vote"], summary="always"), 4, [ballot("unsafe", 1)]),
]


@pytest.mark.parametrize(("protocol", "calls", "alpha"), [stage[1:] for stage in STAGES])
async def test_a_canceled_hearing_closes_its_calls_and_leaves_nothing(
    open_jury: OpenJury,
    cast_by: CastBy,
    make_case: MakeCase,
    protocol: str | Protocol,
    calls: int,
    alpha: list[str | ScriptedReply],
) -> None:
    say = cast_by(alpha=alpha, foreperson=[HANG])
    async with (
        _nothing_left_behind(),
        ScriptedServer(say) as server,
        asyncio.timeout(20),
        open_jury(server, protocol, summing_up=True) as jury,
    ):
        hearing = asyncio.create_task(jury.hear(make_case()))
        await _until(lambda: server.stats.calls == calls)
        hearing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hearing
        await _until(lambda: server.stats.in_flight == 0)


async def test_canceling_one_hearing_leaves_the_others_alone(
    open_jury: OpenJury, make_case: MakeCase, words: Words
) -> None:
    def say(body: Body) -> str | ScriptedReply:
        return HANG if "Answer no. 1." in words(body) else ballot("safe", 5)

    async with ScriptedServer(say) as server, open_jury(server) as jury:
        stuck = asyncio.create_task(jury.hear(make_case(1)))
        await _until(lambda: server.stats.in_flight == 3)
        stuck.cancel()
        verdict = await jury.hear(make_case(2))
        await asyncio.wait([stuck])
    assert stuck.cancelled()
    assert verdict.finding is Finding.SAFE


@pytest.mark.parametrize("summing_up", [False, True])
async def test_leaving_the_jury_ends_what_is_under_way(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase, summing_up: bool
) -> None:
    protocol = replace(PRESETS["vote"], summary="always")
    say = cast_by(alpha=[ballot() if summing_up else HANG], foreperson=[HANG])
    async with _nothing_left_behind(), ScriptedServer(say) as server, asyncio.timeout(20):
        async with open_jury(server, protocol, summing_up=summing_up) as jury:
            hearings = [asyncio.create_task(jury.hear(make_case(number))) for number in range(20)]
            await _until(lambda: server.stats.calls == 20 * (4 if summing_up else 3))
        await asyncio.wait(hearings)
        assert all(hearing.cancelled() for hearing in hearings)
        await _until(lambda: server.stats.in_flight == 0)


@pytest.mark.parametrize("cases", [1, 20])
async def test_a_model_that_never_answers_is_told_as_itself_and_ends_the_others(
    open_jury: OpenJury, make_case: MakeCase, cases: int
) -> None:
    rejected = ScriptedReply("Incorrect API key", status=401, code="invalid_api_key")
    async with (
        _nothing_left_behind(),
        ScriptedServer(rejected) as server,
        asyncio.timeout(20),
        open_jury(server) as jury,
    ):
        hearings = [asyncio.create_task(jury.hear(make_case(number))) for number in range(cases)]
        await asyncio.wait(hearings)
    outcomes = [hearing.exception() for hearing in hearings]
    assert {type(outcome) for outcome in outcomes} == {FirstContactError}
    assert all("401" in str(outcome) for outcome in outcomes)


async def test_a_first_failure_closes_the_calls_of_the_other_jurors(
    open_jury: OpenJury, cast_by: CastBy, make_case: MakeCase
) -> None:
    rejected = ScriptedReply("no such model", status=404, delay=0.05)
    say = cast_by(alpha=[HANG], bravo=[HANG], charlie=[rejected])
    async with ScriptedServer(say) as server, asyncio.timeout(20), open_jury(server) as jury:
        with pytest.raises(FirstContactError, match="404"):
            await jury.hear(make_case())
        await _until(lambda: server.stats.in_flight == 0)


async def test_what_the_clerk_cannot_write_ends_the_hearing(
    open_jury: OpenJury, make_case: MakeCase
) -> None:
    def full(entry: Entry) -> None:
        raise RecordError("the disk is full: free some space and repeat the command")

    async with (
        ScriptedServer(ballot()) as server,
        asyncio.timeout(20),
        open_jury(server, clerk=full) as jury,
    ):
        with pytest.raises(RecordError, match="the disk is full"):
            await jury.hear(make_case())


async def test_a_jury_hears_only_while_it_sits(open_jury: OpenJury, make_case: MakeCase) -> None:
    async with ScriptedServer(ballot()) as server:
        async with open_jury(server) as jury:
            pass
        with pytest.raises(RuntimeError, match="async with"):
            await jury.hear(make_case())


class _Stubborn(BaseChatAgent):
    """Somebody's agent that knows nothing of cancellation tokens."""

    def __init__(self) -> None:
        super().__init__("stubborn", "waits for ever")
        self.asked = asyncio.Event()

    @property
    def produced_message_types(self) -> tuple[type[BaseChatMessage], ...]:
        return (TextMessage,)

    async def on_messages(self, messages: object, cancellation_token: CancellationToken) -> Said:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        pass


async def test_even_an_agent_that_ignores_cancellation_is_stopped(
    open_jury: OpenJury, make_case: MakeCase
) -> None:
    agent = _Stubborn()
    async with _nothing_left_behind(), ScriptedServer(ballot()) as server, asyncio.timeout(20):
        async with open_jury(server, "vote", jurors=2, others={"other": agent}) as jury:
            first = asyncio.create_task(jury.hear(make_case(1)))
            second = asyncio.create_task(jury.hear(make_case(2)))
            await agent.asked.wait()
            second.cancel()
            await asyncio.wait([second])
        await asyncio.wait([first])
    assert first.cancelled()


@pytest.mark.parametrize("seat", ["clerk", "foreperson", "spectator", "seat", "my juror/2 é"])
async def test_a_seat_may_have_any_name(
    open_jury: OpenJury, make_case: MakeCase, seat: str
) -> None:
    entries: list[Entry] = []
    async with (
        ScriptedServer(ballot()) as server,
        open_jury(server, jurors=1) as one,
    ):
        agent = one._seats["alpha"]  # pyright: ignore[reportPrivateUsage]
        async with Jury({seat: agent}, PRESETS["vote"], clerk=entries.append) as jury:
            verdict = await jury.hear(make_case())
    assert verdict.tally == {"safe": 1}
    assert isinstance(entries[1], BallotsRevealed)
    assert entries[1].ballots[0].juror == seat


async def test_no_word_of_a_case_reaches_the_log(
    open_jury: OpenJury, make_case: MakeCase, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("autogen_core", "autogen_core.events"):  # a command may have quieted them
        caplog.set_level(logging.INFO, logger=name)
    async with ScriptedServer(ballot("safe", 5, "Walnut.")) as server, open_jury(server) as jury:
        await jury.hear(make_case(text="A tangerine answer."))
    assert "autogen_core" in caplog.text
    for word in ("tangerine", "Walnut", "May I do"):
        assert word not in caplog.text
