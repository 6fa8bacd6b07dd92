"""Reads the runs that are served, in one thread, without disturbing who writes them."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ....common import RecordError, SafejuryError
from ...record import RecordMark, is_being_written, mark_of
from .._figures import figure_file
from .._pieces import piece, script
from .._source import PageOptions, PageSource

_KEPT = 64 << 20
"""Bytes of pieces that are kept."""
_PAUSE_S = 1.0
"""Least time between two states of the page."""
_SHARE = 4
"""A page that took a second to make stays for four more, so that a run has the machine."""
_IDLE_S = 2.0
"""After it, records are closed: the log of one that is read cannot be begun anew."""


class Phase(StrEnum):
    """What a run is doing."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        phase: What it is doing.
        finished: Finished cases.
        planned: Planned cases.
    """

    phase: Phase
    finished: int
    planned: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of all runs.

    Attributes:
        revision: Grows with each state of the page, 0 where there is none yet.
        runs: How far each is.
        problem: Why the page shows no newer state, None where it does.
    """

    revision: int
    runs: tuple[Progress, ...]
    problem: str | None


class Reading:
    """The pieces of the page, as of a moment that moves on.

    All but `interrupt` is called in one thread.

    Args:
        directories: The directories of the runs.
        options: What the page has in it.
    """

    def __init__(self, directories: Sequence[Path], options: PageOptions) -> None:
        self._directories = directories
        self._options = options
        self._source: PageSource | None = None
        self._marks: tuple[RecordMark, ...] = ()
        self._revision = 0
        self._problem: str | None = None
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._spent = 0.0
        self._since = self._used = -1e9

    def look(self) -> Seen:
        """Return what is known of the runs now, and move on where that is due."""
        now = time.monotonic()
        try:
            marks = [mark_of(directory) for directory in self._directories]
        except RecordError as error:
            if not self._revision:
                raise
            self._problem = str(error)
            return self._seen([None] * len(self._directories))
        begun = tuple(mark for mark in marks if mark is not None)
        due = now - self._since >= max(_PAUSE_S, _SHARE * self._spent)
        if len(begun) == len(marks) and begun != self._marks and due:
            self._move_on(begun)
        return self._seen(marks)

    def piece(self, name: str) -> bytes | None:
        """Return a piece as a script, None where there is none of that name.

        Raises:
            SafejuryError: A record cannot be read, or was changed.
        """

        def make(source: PageSource) -> bytes | None:
            if (data := piece(source, name)) is None:
                return None
            return script(name, data | ({"revision": self._revision} if name == "overview" else {}))

        return self._made(name, make)

    def figure(self, name: str) -> bytes | None:
        """Return a file of a chart, None where there is none of that name."""
        return self._made(f"figures/{name}", lambda source: figure_file(source, name))

    def _made(self, name: str, make: Callable[[PageSource], bytes | None]) -> bytes | None:
        """Return what was kept, or make it and keep it."""
        self._used = time.monotonic()
        if self._source is None:
            self._reopen()
        if (kept := self._kept.get(name)) is not None:
            self._kept.move_to_end(name)
            return kept
        if self._source is None:
            return None
        begun = time.monotonic()
        made = make(self._source)
        self._spent += time.monotonic() - begun
        if made is not None:
            self._keep(name, made)
        return made

    def tend(self) -> None:
        """Make what every page begins with, and close records that nobody asks for.

        Raises:
            SafejuryError: A record cannot be read, or was changed.
        """
        if not self._revision:
            self.piece("overview")
        elif time.monotonic() - self._used > _IDLE_S:
            self.close()

    def close(self) -> None:
        """Close the records; what was made is kept."""
        if self._source is not None:
            self._source.close()
            self._source = None

    def interrupt(self) -> None:
        """End what is being read; called in another thread."""
        if (source := self._source) is not None:
            source.interrupt()

    def _reopen(self) -> None:
        marks = [mark_of(directory) for directory in self._directories]
        begun = tuple(mark for mark in marks if mark is not None)
        if len(begun) == len(marks):
            self._move_on(begun)

    def _move_on(self, marks: tuple[RecordMark, ...]) -> None:
        try:
            source = PageSource(self._directories, self._options)
        except SafejuryError as error:
            if not self._revision:
                raise
            self._problem = str(error)
            return
        self.close()
        self._source, self._problem = source, None
        if marks != self._marks:
            self._marks = marks
            self._revision += 1
            self._kept.clear()
            self._spent, self._since = 0.0, time.monotonic()

    def _keep(self, name: str, made: bytes) -> None:
        self._kept[name] = made
        while sum(map(len, self._kept.values())) > _KEPT and len(self._kept) > 1:
            self._kept.popitem(last=False)

    def _seen(self, marks: Sequence[RecordMark | None]) -> Seen:
        runs = tuple(
            _progress(directory, mark, is_begun=self._revision > 0)
            for directory, mark in zip(self._directories, marks, strict=True)
        )
        return Seen(self._revision, runs, self._problem)


def _progress(directory: Path, mark: RecordMark | None, *, is_begun: bool) -> Progress:
    if mark is None:
        return Progress(Phase.GONE if is_begun else Phase.WAITING, 0, 0)
    if is_being_written(directory):
        phase = Phase.RUNNING
    else:
        phase = Phase.FINISHED if mark.cases >= mark.planned else Phase.STOPPED
    return Progress(phase, mark.cases, mark.planned)
