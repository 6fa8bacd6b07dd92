"""Shows deliberations live on a terminal."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Self

from rich.console import Console, Group
from rich.live import Live

from ..protocol import CaseOpened, Entry, Notice, SeatInfo, VerdictAnnounced
from ._case import TranscriptBlocks
from ._look import Block
from ._progress import Progress

FRAME_S = 0.1
"""Minimum seconds between redraws; a redraw takes about 5 ms."""
IDLE_S = 0.2
"""Seconds between redraws while only the clock moves."""

_Timed = tuple[float, Entry | Notice]


class LiveView:
    """Shows deliberations on a console, with finished parts above a live one.

    Finished parts are printed once and stay in the scrollback; only the line of each
    seat and the counters below are redrawn, from a buffer. On a console that is not a
    terminal nothing is redrawn and no cursor moved. Cases that overlap in time are
    shown one after the other.

    Example:
        async with LiveView(Console(), jury=seats, target="mine", reveal=True) as view:
            view.handle(event)

    Args:
        console: Where to show it; NO_COLOR and its width are honored.
        jury: The jury, in seat order.
        reveal: Whether to show the question and the response.
        target: Name of the target.
        protocol: Name of the protocol, left out if empty.
        clock: Monotonic clock in seconds.
    """

    def __init__(
        self,
        console: Console,
        *,
        jury: tuple[SeatInfo, ...],
        reveal: bool,
        target: str,
        protocol: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._clock = clock
        self._jury = jury
        self._target, self._protocol, self._reveal = target, protocol, reveal
        self._buffer: deque[_Timed] = deque()
        self._waiting: dict[str, deque[_Timed]] = {}
        self._open: Progress | None = None
        self._live: Live | None = None
        self._paused = 0
        self._drawn_at = float("-inf")
        self._closing = asyncio.Event()
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tasks.create_task(self._redraw())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        try:
            # An error of the body passes as it is, not wrapped into a group.
            await self._tasks.__aexit__(None, None, None)
        finally:
            self._finish()

    def handle(self, event: Entry | Notice) -> None:
        """Queue an event for the next redraw."""
        self._buffer.append((self._clock(), event))

    @contextmanager
    def paused(self) -> Generator[None]:
        """Release the terminal, for example to a person who is asked to vote."""
        self._draw()
        self._paused += 1
        self._stop_live()
        try:
            yield
        finally:
            self._paused -= 1

    async def _redraw(self) -> None:
        while not self._closing.is_set():
            self._draw()
            with suppress(TimeoutError):
                async with asyncio.timeout(FRAME_S):
                    await self._closing.wait()

    def _draw(self) -> None:
        if self._paused:
            return
        idle = not self._buffer
        blocks = self._drain()
        if self._open is None:
            self._stop_live()
        elif self._live is None and not self._console.is_dumb_terminal:
            self._start_live(self._open)
        if blocks:
            self._console.print(Group(*blocks))
        elif self._live is not None and not (idle and self._clock() - self._drawn_at < IDLE_S):
            self._live.refresh()
        else:
            return
        self._drawn_at = self._clock()

    def _drain(self) -> list[Block]:
        blocks: list[Block] = []
        while self._buffer:
            at, event = self._buffer.popleft()
            block = self._take(at, event)
            if block is not None:
                blocks.append(block)
        return blocks

    def _take(self, at: float, event: Entry | Notice) -> Block | None:
        if self._open is None and isinstance(event, CaseOpened):
            transcript = TranscriptBlocks(
                self._jury, target=self._target, protocol=self._protocol, reveal=self._reveal
            )
            self._open = Progress(event.case_id, transcript, opened_at=at, clock=self._clock)
        if self._open is None or event.case_id != self._open.case_id:
            self._hold(at, event)
            return None
        block = self._open.take(event, at)
        if isinstance(event, VerdictAnnounced):
            self._close_case()
        return block

    def _hold(self, at: float, event: Entry | Notice) -> None:
        if isinstance(event, CaseOpened):
            self._waiting[event.case_id] = deque()
        # A case whose opening was never seen can't be shown.
        if event.case_id in self._waiting:
            self._waiting[event.case_id].append((at, event))

    def _close_case(self) -> None:
        self._open = None
        if self._waiting:
            held = self._waiting.pop(next(iter(self._waiting)))
            self._buffer.extendleft(reversed(held))

    def _start_live(self, progress: Progress) -> None:
        if not self._console.is_terminal:
            return
        self._live = Live(
            Block(lambda look: progress.show(look) if self._open is progress else ""),
            console=self._console,
            auto_refresh=False,
            transient=True,
        )
        self._live.start()

    def _stop_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _finish(self) -> None:
        self._paused = 0
        blocks = self._drain()
        # Cases cut off without a verdict are shown as far as they went.
        while self._waiting:
            self._close_case()
            blocks += self._drain()
        self._open = None
        self._stop_live()
        if blocks:
            self._console.print(Group(*blocks))
