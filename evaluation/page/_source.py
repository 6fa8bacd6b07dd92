"""The runs that a page shows, of one jury, opened and checked."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import TypeVar

from ...deliberation import CaseOpened
from ..leaderboard import Leaderboard, check_one_jury
from ..metrics import DEFAULT_THRESHOLDS, RunSummary, Thresholds
from ..record import MEDIA, CasePages, RecordedCase
from ..report import Correction, StoredRun
from ..trials import CaseResult

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageOptions:
    """What a page has in it.

    Attributes:
        texts: Whether questions, responses, the jurors' words and media are there at all.
        by: What figures are broken down by in addition; see `summarize`.
        correction: By what rates are corrected, None for nothing.
        wanted: Thresholds below which there is a warning.
    """

    texts: bool = True
    by: str | None = None
    correction: Correction | None = None
    wanted: Thresholds = DEFAULT_THRESHOLDS


class PageSource:
    """The runs that a page shows, opened read-only; close it.

    A record is read as of one moment, so that all pieces of a page go together.

    Args:
        directories: The directories of the runs, in the order in which they are shown.
        options: What the page has in it.

    Attributes:
        options: The same.
        runs: The opened runs.
        opened: When they were opened.
        drawings: The charts that were drawn, as SVG, by name.

    Raises:
        ConfigurationError: The runs are of different juries.
        RecordError: A directory holds no readable run.
    """

    def __init__(self, directories: Sequence[Path], options: PageOptions = PageOptions()) -> None:
        self.options = options
        self.opened = datetime.now()
        self.drawings: dict[str, str] = {}
        with ExitStack() as stack:
            found = [self._open(directory, stack) for directory in directories]
            check_one_jury(found)
            self._stack = stack.pop_all()
        self.runs = tuple(found)

    @staticmethod
    def _open(directory: Path, stack: ExitStack) -> StoredRun:
        run = StoredRun(directory, media_may_be_gone=True)
        stack.callback(run.close)
        return run

    @cached_property
    def leaderboard(self) -> Leaderboard:
        """The targets of all runs.

        Raises:
            ConfigurationError: The correction does not fit.
            RecordChangedError: A case was changed after it was recorded.
        """
        return Leaderboard.of(self.runs, self.options.correction)

    @cached_property
    def summaries(self) -> tuple[RunSummary, ...]:
        """The figures of each run.

        Raises:
            ConfigurationError: Their figures cannot be broken down or corrected as asked.
            RecordChangedError: A case was changed after it was recorded.
        """
        _, options = self.leaderboard, self.options
        return tuple(run.summary(options.by, options.correction) for run in self.runs)

    @property
    def count(self) -> int:
        """Number of finished cases of all runs."""
        return self._ends[-1]

    def results(self, start: int, stop: int) -> Iterator[tuple[int, CaseResult, float | None]]:
        """Yield cases by place, those of all runs in a row; see `CasePages.results`."""
        for run, found in self._between(start, stop, CasePages.results):
            yield run, *found

    def openings(self, start: int, stop: int) -> Iterator[CaseOpened]:
        """Yield what opened each case from `start` up to `stop`."""
        for _, opened in self._between(start, stop, CasePages.openings):
            yield opened

    def cases(self, start: int, stop: int) -> Iterator[tuple[int, RecordedCase]]:
        """Yield the cases from `start` up to `stop`, each with the place of its run."""
        yield from self._between(start, stop, CasePages.cases)

    def media_folder(self, run: int) -> Path:
        """Return where a run keeps its pictures and sounds."""
        return self.runs[run].directory / MEDIA

    @cached_property
    def pages(self) -> tuple[CasePages, ...]:
        """The cases of each run by place."""
        return tuple(run.reader.pages() for run in self.runs)

    @cached_property
    def _ends(self) -> list[int]:
        """The place behind the last case of each run."""
        return list(accumulate(map(len, self.pages)))

    def _between(
        self, start: int, stop: int, read: Callable[[CasePages, int, int], Iterator[T]]
    ) -> Iterator[tuple[int, T]]:
        for run in range(bisect_right(self._ends, start), len(self.runs)):
            first = self._ends[run] - len(self.pages[run])
            if first >= stop:
                return
            for found in read(self.pages[run], max(start - first, 0), stop - first):
                yield run, found

    def interrupt(self) -> None:
        """Let what is being read in another thread fail."""
        for run in self.runs:
            run.reader.interrupt()

    def close(self) -> None:
        """Close the records."""
        self._stack.close()
