"""The live view prints each part once, redraws only what moves, and leaves nothing behind."""

import asyncio
import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from safejury.common import ConfigurationError
from safejury.deliberation import (
    BallotCalled,
    BallotSealed,
    BallotsRevealed,
    Entry,
    LiveView,
    Notice,
    SeatInfo,
    render_case,
)

CURSOR = re.compile(r"\x1b\[[0-9;?]*[A-HJKSTfhl]")


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Screen(io.StringIO):
    """What was written, and a way to wait for more."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def write(self, text: str, /) -> int:
        self.written.set()
        return super().write(text)


def terminal() -> tuple[Console, Screen]:
    out = Screen()
    return Console(file=out, force_terminal=True, width=100, height=60), out


def plain() -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=100), out


def view(console: Console, jury: tuple[SeatInfo, ...], clock: Clock | None = None) -> LiveView:
    return LiveView(
        console,
        jury=jury,
        reveal=True,
        target="my-model",
        protocol="contested",
        clock=clock or Clock(),
    )


def of_case(entries: tuple[Entry, ...], case_id: str) -> list[Entry]:
    return [replace(entry, case_id=case_id) for entry in entries]


def with_notices(entries: tuple[Entry, ...]) -> list[Entry | Notice]:
    events: list[Entry | Notice] = []
    for entry in entries:
        if isinstance(entry, BallotsRevealed):
            case_id, number = entry.case_id, entry.round
            events += [BallotCalled(case_id, number, b.juror) for b in entry.ballots]
            events += [BallotSealed(case_id, number, b.juror) for b in entry.ballots]
        events.append(entry)
    return events


async def drawn(out: Screen, words: str) -> None:
    """Wait until the view has drawn these words."""
    async with asyncio.timeout(20):
        while words not in out.getvalue():
            out.written.clear()
            await out.written.wait()


async def test_without_a_terminal_the_lines_are_those_of_a_replay(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    (console, out), clock = plain(), Clock()
    async with view(console, jury, clock) as live:
        for event in with_notices(entries):
            clock.now += 0.5
            live.handle(event)
    replay, expected = plain()
    # 26 events, 0.5 s apart, the first one opens the case: 12.5 s.
    replay.print(
        render_case(
            entries,
            jury,
            target="my-model",
            protocol="contested",
            reveal=True,
            elapsed_s=12.5,
        )
    )
    assert out.getvalue() == expected.getvalue()
    assert "\x1b" not in out.getvalue()


async def test_a_terminal_shows_who_thinks_and_who_has_sealed(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    console, out = terminal()
    async with view(console, jury) as live:
        live.handle(entries[0])
        live.handle(BallotCalled(entries[0].case_id, 0, "lawyer"))
        live.handle(BallotCalled(entries[0].case_id, 0, "sceptic"))
        live.handle(BallotSealed(entries[0].case_id, 0, "lawyer"))
        await drawn(out, "1 of 2 ballots sealed")
        assert "■ sealed" in out.getvalue()
        assert "⠋ thinking" in out.getvalue()


async def test_a_burst_of_events_costs_a_handful_of_redraws(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    console, out = terminal()
    async with view(console, jury) as live:
        live.handle(entries[0])
        for number in range(5000):
            live.handle(BallotCalled(entries[0].case_id, 0, f"seat-{number % 5}"))
        await drawn(out, "of 5 ballots sealed")
    assert out.getvalue().count("ballots sealed") < 50


async def test_the_cursor_is_given_back_even_when_the_case_is_cut_off(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    console, out = terminal()

    async def cut_off() -> None:
        async with view(console, jury) as live:
            live.handle(entries[0])
            await drawn(out, "calls the jury")
            live.handle(entries[1])
            raise ConfigurationError("the model is gone")

    with pytest.raises(ConfigurationError, match="the model is gone"):
        await cut_off()
    hidden, back = out.getvalue().rfind("\x1b[?25l"), out.getvalue().rfind("\x1b[?25h")
    assert back > hidden >= 0
    assert "sealed ballots, opened together" in out.getvalue()


async def test_canceling_ends_the_view_and_its_task(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    console, out = terminal()

    async def watch() -> None:
        async with view(console, jury) as live:
            live.handle(entries[0])
            await asyncio.Event().wait()

    task = asyncio.create_task(watch())
    await drawn(out, "calls the jury")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_each_finished_part_is_printed_once(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    console, out = terminal()
    async with view(console, jury) as live:
        for event in with_notices(entries):
            live.handle(event)
            await asyncio.sleep(0)
        await drawn(out, "Verdict")
    words = CURSOR.sub("", out.getvalue())
    assert words.count("My landlord kept my deposit") == 1
    assert words.count("sealed ballots, opened together") == 2


async def test_cases_that_overlap_are_shown_one_after_the_other(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    console, out = plain()
    one, two = of_case(entries, "one"), of_case(entries, "two")
    async with view(console, jury) as live:
        for first, second in zip(one, two, strict=True):
            live.handle(first)
            live.handle(second)
    order = re.findall(r"Case mini|Discussion|Verdict", out.getvalue())
    assert order == ["Case mini", "Discussion", "Verdict"] * 2


async def test_cases_without_a_verdict_are_shown_as_far_as_they_went(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    console, out = plain()
    async with view(console, jury) as live:
        for case_id in ("one", "two", "three"):
            live.handle(of_case(entries, case_id)[0])
    assert out.getvalue().count("Case mini-legal-02") == 3


async def test_events_of_a_case_that_was_never_opened_are_left_out(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    console, out = plain()
    async with view(console, jury) as live:
        for entry in entries[1:]:
            live.handle(entry)
    assert out.getvalue() == ""


async def test_a_person_can_be_asked_while_the_view_is_paused(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    console, out = terminal()
    async with view(console, jury) as live:
        live.handle(entries[0])
        live.handle(BallotCalled(entries[0].case_id, 0, "lawyer"))
        await drawn(out, "ballots sealed")
        with live.paused():
            assert "My landlord kept my deposit" in out.getvalue()
            before = out.getvalue()
            assert before.rfind("\x1b[?25h") > before.rfind("\x1b[?25l")
            live.handle(BallotSealed(entries[0].case_id, 0, "lawyer"))
            await asyncio.sleep(0.3)  # three frames, none of which may be drawn
            assert out.getvalue() == before
        await drawn(out, "1 of 1 ballots sealed")


async def test_the_next_case_starts_afresh(
    entries: tuple[Entry, ...], jury: tuple[SeatInfo, ...]
) -> None:
    console, out = plain()
    async with view(console, jury) as live:
        for case_id in ("one", "two"):
            for entry in of_case(entries, case_id):
                live.handle(entry)
    half = len(out.getvalue()) // 2
    assert out.getvalue()[:half] == out.getvalue()[half:]
