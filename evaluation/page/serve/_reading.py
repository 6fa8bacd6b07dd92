"""Reads the runs that are served, without disturbing who writes them."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from ...record import RecordMark, mark_of
from .._figures import figure_file
from .._pieces import IN_INDEX, IN_PIECE, piece, script
from .._source import PageOptions, PageSource

_KEPT = 64 << 20
"""Bytes of pieces that are kept."""
_IDLE_S = 2.0
"""After it, records are closed: the log of one that is read cannot be begun anew."""
Marks = tuple[RecordMark | None, ...]
"""The states of all records; None for a run that has not begun, or is gone."""


class Kept:
    """What was made by name, within a bound of bytes; what was not used for longest goes first."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, name: str, make: Callable[[], bytes | None]) -> bytes | None:
        """Return what was kept, or make it and keep it."""
        if (kept := self._made.get(name)) is not None:
            self._made.move_to_end(name)
            return kept
        made = make()
        if made is not None:
            self._made[name] = made
            self._bytes += len(made)
            while self._bytes > _KEPT and len(self._made) > 1:
                self._bytes -= len(self._made.popitem(last=False)[1])
        return made

    def forget(self, goes: Callable[[str], bool] = lambda name: True) -> None:
        """Forget what a test is true of, all by default."""
        for name in [name for name in self._made if goes(name)]:
            self._bytes -= len(self._made.pop(name))


class Overviews:
    """The figures as of a moment, which take long to make; in a thread of its own.

    Args:
        directories: The directories of the runs.
        options: What the page has in it.
    """

    def __init__(self, directories: Sequence[Path], options: PageOptions) -> None:
        self._directories, self._options = directories, options
        self._source: PageSource | None = None
        self._kept = Kept()

    def make(self, revision: int) -> bytes:
        """Return the first piece of the page, as of now.

        Args:
            revision: What it is to say that it is.

        Raises:
            SafejuryError: A record cannot be read, or was changed; charts stay those of before.
        """
        source = PageSource(self._directories, self._options)
        before, self._source = self._source, source
        try:
            data = piece(source, "overview")
            assert data is not None
        except BaseException:
            self._source = before
            raise
        finally:
            source.close()  # the charts are drawn from what was read
        self._kept.forget()
        return script("overview", data | {"revision": revision})

    def figures(self) -> bytes | None:
        """Return the charts of the latest overview as a piece."""
        return self._drawn("", lambda source: script("figures", piece(source, "figures") or {}))

    def figure(self, name: str) -> bytes | None:
        """Return a file of a chart, None where there is none of that name."""
        return self._drawn(name, lambda source: figure_file(source, name))

    def _drawn(self, name: str, draw: Callable[[PageSource], bytes | None]) -> bytes | None:
        source = self._source
        return None if source is None else self._kept.get(name, lambda: draw(source))

    def interrupt(self) -> None:
        """End what is being read; called in another thread."""
        if (source := self._source) is not None:
            source.interrupt()


class Cases:
    """The pieces that a reader of cases asks for; in a thread of its own.

    The record may have more cases than the overview tells of: they come behind all others.

    Args:
        directories: The directories of the runs.
        options: What the page has in it.
    """

    def __init__(self, directories: Sequence[Path], options: PageOptions) -> None:
        self._directories, self._options = directories, options
        self._source: PageSource | None = None
        self._used = 0.0
        self._kept = Kept()

    def marks(self) -> Marks:
        """Return the present states of the records.

        Raises:
            RecordError: One cannot be read.
        """
        return tuple(mark_of(directory) for directory in self._directories)

    def piece(self, name: str) -> bytes | None:
        """Return a piece as a script, None where there is none of that name.

        Raises:
            SafejuryError: A record cannot be read.
        """
        self._used = time.monotonic()
        return self._kept.get(name, lambda: self._made(name))

    def _made(self, name: str) -> bytes | None:
        if self._source is None:
            self._source = PageSource(self._directories, self._options)
        data = piece(self._source, name)
        return None if data is None else script(name, data)

    def move_on(self, same: int) -> None:
        """Read the records as of now from here on.

        Args:
            same: The number of cases, from the first on, that are as they were.
        """
        self.close()
        self._kept.forget(lambda name: _end(name) > same)

    def rest(self) -> None:
        """Close the records if nothing was asked for lately."""
        if time.monotonic() - self._used > _IDLE_S:
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


def same_cases(before: Marks, now: Marks) -> int:
    """Return how many cases, from the first on, are surely as they were."""
    if len(now) != 1 or before[0] is None or now[0] is None:
        return 0
    old, new = before[0], now[0]
    # A case that is finished anew is the last one from then on, and those behind it move up.
    only_more = old.file == new.file and new.cases - old.cases == new.last - old.last
    return old.cases if only_more else 0


def _end(name: str) -> int:
    """Return the place behind the last case of a whole piece."""
    kind, _, number = name.partition("-")
    return (int(number) + 1) * (IN_PIECE if kind == "cases" else IN_INDEX)
