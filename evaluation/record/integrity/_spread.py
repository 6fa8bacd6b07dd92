"""Spreads the check of many cases over processes, which gives what one would find."""

import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, cast

import msgspec

from ._batch import Case, Checked, Checker, Terms
from ._helper import HELLO, decode_found, encode, received, send

_MOST_CASES = 256
"""Cases that are sent together."""
_MOST_TEXT = 2_000_000
"""Characters of entries that are sent together, but for those of one case."""
_MANY = 20_000
"""Cases below which it takes as long to start a process as it saves."""
_MOST_HELPERS = 3
"""More would wait for what this process reads."""
_PATIENCE_S = 30.0
"""Seconds after which this process checks what a helper, as one that is stopped, does not."""
_CODE = f"from {__package__}._helper import help_checking; help_checking()"


def helpers_for(cases: int) -> int:
    """Return how many processes are to help with so many cases: one a core that is left."""
    return 0 if cases < _MANY else min(_MOST_HELPERS, _cores() - 1)


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def checked(
    cases: Iterator[Case], terms: Terms, helpers: int
) -> Generator[Iterator[Checked], None, None]:
    """Yield what is found of each case, in their order.

    What a helper does not answer is checked here, so that it is all the same where none can be
    started, or one dies.

    Args:
        cases: The cases.
        terms: How they are checked.
        helpers: Processes that check cases beside this one.
    """
    checker = Checker(terms)
    if not helpers:
        yield (found for case in cases for found in checker.check((case,)))
        return
    offered: queue.Queue[_Task | None] = queue.Queue(helpers)
    with ExitStack() as stack:
        for _ in range(helpers):
            with suppress(OSError):
                stack.enter_context(_helper(terms, offered))
        try:
            yield _in_order(cases, checker, offered, 4 * helpers)
        finally:
            _end(offered, helpers)


class _Task:
    """Some cases, and what is found of them by whoever takes them first."""

    def __init__(self, cases: list[Case]) -> None:
        self.cases = cases
        self.answer = Future[list[Checked]]()  # of a helper
        self._found: list[Checked] | None = None

    @property
    def is_done(self) -> bool:
        return self.answer.done()

    def check_unless_taken(self, checker: Checker) -> None:
        if self._found is None and self.answer.cancel():
            self._found = checker.check(self.cases)

    def found(self, checker: Checker) -> list[Checked]:
        self.check_unless_taken(checker)
        if self._found is not None:
            return self._found
        try:
            return self.answer.result(_PATIENCE_S)
        except (EOFError, TimeoutError):  # whoever took them died, is stopped, or was not sent them
            return checker.check(self.cases)


def _in_order(
    cases: Iterator[Case], checker: Checker, offered: "queue.Queue[_Task | None]", most: int
) -> Iterator[Checked]:
    waiting = deque[_Task]()
    for batch in _batches(cases):
        task = _Task(batch)
        waiting.append(task)
        try:
            offered.put_nowait(task)
        except queue.Full:
            task.check_unless_taken(checker)
        while waiting and (waiting[0].is_done or len(waiting) > most):
            yield from waiting.popleft().found(checker)
    for task in reversed(waiting):
        task.check_unless_taken(checker)
    for task in waiting:
        yield from task.found(checker)


def _batches(cases: Iterator[Case]) -> Iterator[list[Case]]:
    batch, size = list[Case](), 0
    for case in cases:
        batch.append(case)
        size += sum([len(row[3]) for row in case[2] if type(row[3]) is str])
        if len(batch) >= _MOST_CASES or size >= _MOST_TEXT:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@contextmanager
def _helper(terms: Terms, offered: "queue.Queue[_Task | None]") -> Generator[None]:
    """Start a process that takes what is offered, with a thread for each of its ends.

    Raises:
        OSError: It cannot be started.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the terminal is for this one to handle
    )
    asked, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
    taken: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
    threads = [
        threading.Thread(target=_ask, args=(asked, terms, process, offered, taken), daemon=True),
        threading.Thread(target=_answer, args=(answers, process, taken), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        process.kill()  # it holds nothing, and nobody waits for it any more
        process.wait()
        for thread in threads:
            thread.join()
        answers.close()
        with suppress(OSError):
            asked.close()


def _ask(
    stream: IO[bytes],
    terms: Terms,
    process: "subprocess.Popen[bytes]",
    offered: "queue.Queue[_Task | None]",
    taken: "queue.SimpleQueue[_Task | None]",
) -> None:
    """Send what is offered until there is no more, the process is gone, or it cannot be sent."""
    try:
        send(encode(terms), stream)
        while (task := offered.get()) is not None:
            if task.answer.set_running_or_notify_cancel():
                taken.put(task)
                send(encode(task.cases), stream)
    except (OSError, ValueError, OverflowError, MemoryError, msgspec.MsgspecError):
        process.kill()  # or it would wait for the rest, and this one for its answer
    taken.put(None)


def _answer(
    stream: IO[bytes],
    process: "subprocess.Popen[bytes]",
    taken: "queue.SimpleQueue[_Task | None]",
) -> None:
    """Read what was found of what was sent, in that order."""
    usable = stream.read(len(HELLO)) == HELLO  # other code may check otherwise
    while (task := taken.get()) is not None:
        try:
            if not usable:
                raise EOFError
            task.answer.set_result(decode_found(received(stream)))
        except (EOFError, MemoryError, OverflowError, msgspec.MsgspecError):
            usable = False
            process.kill()
            task.answer.set_exception(EOFError())


def _end(offered: "queue.Queue[_Task | None]", helpers: int) -> None:
    """Let the threads end that take what is offered."""
    with suppress(queue.Empty):
        while True:
            offered.get_nowait()
    for _ in range(helpers):
        offered.put(None)
