"""Shows the deliberations of a run while it goes on, and lets a person steer it."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Self

from rich.console import Console

from ...agents import ask_at_terminal
from ...deliberation import Entry, Notice
from ...evaluation import CaseResult, Trial
from ...evaluation.runner import WorkerCounts
from ...models import ModelRegistry, Wait
from ..console import WaitLines, log, log_line, wrapped
from ._board import Board, Question, Watched
from ._screen import Screen

FRAME_S = 0.25
"""Least seconds between two frames, unless a key is pressed."""
IDLE_S = 0.5
"""Seconds between two frames while only clocks move."""
_MOST_NOTES = 50


class WatchView:
    """A run on the terminal: an `Observer` and a `CaseWatcher` of it.

    What the run reports is only put down; a thread reads it, draws and writes at its own pace.
    A terminal that is slow, or does not read at all, gets fewer frames, and the run waits for
    nothing.

    Args:
        run: The run.
        clock: Monotonic clock in seconds.
    """

    def __init__(self, run: Watched, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        colors = Console(stderr=True).color_system
        encoding = sys.stderr.encoding or "utf-8"
        self._board = Board(run, self, clock=clock, encoding=encoding, colors=colors)
        self._screen = Screen()
        self._inbox: deque[Callable[[], None]] = deque()
        self._closing = threading.Event()
        self._has_failed = False
        self._thread = threading.Thread(target=self._work, name="watch", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unheld = asyncio.Event()
        self._unheld.set()
        self._wait_lines = WaitLines()
        self._notes: deque[str] = deque(maxlen=_MOST_NOTES)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.callback(self._screen.close)
        self._open.callback(self._screen.leave)
        self._open.enter_context(self._screen.stopped_with_the_job())
        self._screen.enter()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._screen.wake()
        try:
            self._thread.join()
        finally:
            self._open.close()
        for note in self._notes:
            _print(note)

    def started(self, total: int, finished: int, registry: ModelRegistry) -> None:
        """Show how much there is to do; see `Observer`."""
        self._loop = asyncio.get_running_loop()
        self._post(lambda: self._board.counts.started(total, finished, registry))
        if finished:
            self.notify(f"resuming: {finished} of {total} cases done")

    def case_finished(self, result: CaseResult) -> None:
        """Count a case; see `Observer`."""
        self._post(lambda: self._board.counts.case_finished(result))

    def waiting(self, waits: Sequence[Wait]) -> None:
        """Show what calls wait for; see `Observer`."""
        for wait in self._wait_lines.due(waits):
            log.info("%s", wait)
        self._post(lambda: self._board.wait_for(waits))

    def workers(self, counts: WorkerCounts) -> None:
        """Show what each worker has under way; see `Observer`."""
        self._post(lambda: self._board.work(counts))

    def notify(self, message: str) -> None:
        """Show a message for a while, and again when the view is closed; see `Observer`."""
        log_line(message)
        if self._has_failed:
            _print(message)
            return
        self._notes.append(message)
        self._post(lambda: self._board.note(message))

    def begun(self, trial: Trial) -> None:
        """List a case; see `CaseWatcher`."""
        at = self._clock()
        self._post(lambda: self._board.cases.begun(trial, at))

    def heard(self, event: Entry | Notice) -> None:
        """Show what happens in a case; see `CaseWatcher`."""
        at = self._clock()
        self._post(lambda: self._board.cases.heard(event, at))

    def left(self, case_id: str) -> None:
        """List a case no more; see `CaseWatcher`."""
        at = self._clock()
        self._post(lambda: self._board.cases.left(case_id, at))

    async def unheld(self) -> None:
        """Wait while the run is paused; see `CaseWatcher`."""
        await self._unheld.wait()

    async def ask(self, text: str) -> str:
        """Ask the person on the jury, and return the line; see `Ask`."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[str | None] = loop.create_future()

        def answer(line: str | None) -> None:
            with suppress(RuntimeError):  # the run has just ended
                loop.call_soon_threadsafe(lambda: answered.done() or answered.set_result(line))

        question = Question(text, answer)
        self._post(lambda: self._board.ask(question))
        self._screen.wake()
        try:
            while not answered.done() and not self._has_failed:
                await asyncio.wait([answered], timeout=IDLE_S)
        finally:
            self._post(lambda: self._board.take_back(question))
        if not answered.done():
            return await ask_at_terminal(text)
        if (line := answered.result()) is None:
            raise EOFError
        return line

    def hold(self, *, held: bool) -> None:
        """Pause the run, or let it go on; called by the thread that draws."""
        with suppress(RuntimeError):  # the run has just ended
            if self._loop is None:
                self._hold(held=held)
            else:
                self._loop.call_soon_threadsafe(lambda: self._hold(held=held))

    def _hold(self, *, held: bool) -> None:
        log.info("paused" if held else "going on")
        if held:
            self._unheld.clear()
        else:
            self._unheld.set()

    def stop(self) -> None:
        """Stop the run as Ctrl-C does; called by the thread that draws."""
        os.kill(os.getpid(), signal.SIGINT)

    def _post(self, change: Callable[[], None]) -> None:
        if not self._has_failed:
            self._inbox.append(change)

    def _work(self) -> None:
        try:
            self._draw_until_closed()
        except Exception as error:  # noqa: BLE001 - a view that fails must not cost the run
            self._has_failed = True
            self._inbox.clear()
            log.error("the view failed", exc_info=error)
            self.hold(held=False)
            self._screen.leave()
            _print("--watch failed, see run.log; the run goes on")

    def _draw_until_closed(self) -> None:
        drawn_at, size = float("-inf"), (0, 0)
        while not self._closing.is_set():
            keys = self._screen.wait(FRAME_S)
            changed = bool(self._inbox)
            for _ in range(len(self._inbox)):
                self._inbox.popleft()()
            for key in keys:
                self._board.press(key)
            since = self._clock() - drawn_at
            is_due = keys or since >= (FRAME_S if changed else IDLE_S)
            if self._screen.is_busy or not (is_due or size != self._screen.size):
                continue
            anew = size != self._screen.size or self._board.redraws
            size, self._board.redraws = self._screen.size, False
            self._screen.draw(self._board.lines(size), anew=anew)
            drawn_at = self._clock()


def _print(message: str) -> None:
    width = os.get_terminal_size(sys.stderr.fileno()).columns if sys.stderr.isatty() else 80
    sys.stderr.write(f"{wrapped(message, width or 80)}\n")
