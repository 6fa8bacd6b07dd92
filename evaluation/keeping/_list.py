"""Lists runs: their state, progress, size and cost, of their facts and counts alone."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from ...common import ConfigurationError, RecordError
from ..record import (
    FORMAT,
    RecordReader,
    as_copied,
    database_of,
    format_of,
    is_being_written,
    is_finished,
    last_written,
)
from ._files import RunFiles, entries, is_run, run_files

_LOG = "run.log"
_TIME = "%Y-%m-%d %H:%M:%S"
_TIME_LENGTH = 19


class RunState(StrEnum):
    """The state of a run."""

    RUNNING = "running"
    """A process is writing to it."""
    FINISHED = "finished"
    UNFINISHED = "unfinished"
    """It was stopped: the same command goes on with it."""
    COPY = "copy"
    """A shareable copy, without words."""
    OTHER_FORMAT = "other format"
    """Another version of safejury wrote it."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run in a list.

    Attributes:
        directory: Its directory.
        state: Its state.
        cases: Finished cases; None, as what follows, where its record cannot be read.
        planned: Planned cases, and finished ones that its config asks no more.
        verdicts: Cases with a verdict.
        targets: Names of its targets.
        cost_usd: US dollars that all calls with a known price cost.
        unpriced: Calls of unknown price.
        tokens: Tokens of all calls.
        files: What its files take.
        began: When its first command began, as its log says it, in UTC; None without a log.
        written: When its record was last written, in UTC.
        pruned: Number of pictures and sounds that were removed on purpose.
        problem: Why its record cannot be read, None where it can.
        database: Address of the database that keeps its record; what is listed is what was copied
            from there last, and drivers on other machines are not seen. None for all others.
    """

    directory: Path
    state: RunState
    files: RunFiles
    began: datetime | None
    written: datetime | None
    cases: int | None = None
    planned: int | None = None
    verdicts: int | None = None
    targets: tuple[str, ...] = ()
    cost_usd: float | None = None
    unpriced: int | None = None
    tokens: int | None = None
    pruned: int = 0
    problem: str | None = None
    database: str | None = None


def list_runs(directories: Sequence[Path]) -> Iterator[ListedRun]:
    """Yield the runs of some folders, in no order; hidden folders and links in them are left out.

    Facts and counts are read, as of one moment; chains and seals are not checked, no database is
    asked, and whoever writes to a run notices nothing.

    Args:
        directories: Folders of runs, or runs.

    Raises:
        ConfigurationError: One is not there.
    """
    for directory in directories:
        if not directory.is_dir():
            raise ConfigurationError(f"{directory}: there is no such folder: name one with runs")
    seen = set[Path]()
    for directory in directories:
        found = [directory] if is_run(directory) else _runs_in(directory)
        for run in found:
            if (place := run.resolve()) not in seen:
                seen.add(place)
                with as_copied(run):
                    listed = _listed(run)
                yield replace(listed, database=database_of(run))


def _runs_in(folder: Path) -> Iterator[Path]:
    for entry in entries(folder):
        run = folder / entry.name
        if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False) and is_run(run):
            yield run


def _listed(directory: Path) -> ListedRun:
    files, began = run_files(directory), _began(directory)
    try:
        written = last_written(directory)
    except (OSError, RecordError):
        written = None
    running = is_being_written(directory)
    try:
        with closing(RecordReader(directory)) as reader:
            meta = reader.meta
            cases, verdicts = reader.counts()
            tokens, usd, unpriced = reader.total_cost()
    except RecordError as error:
        if running:
            return ListedRun(directory, RunState.RUNNING, files, began, written)  # it just begins
        known = format_of(directory)
        other = known is not None and known != FORMAT
        state = RunState.OTHER_FORMAT if other else RunState.UNREADABLE
        return ListedRun(directory, state, files, began, written, problem=str(error))
    if running:
        state = RunState.RUNNING
    elif meta.shared is not None:
        state = RunState.COPY
    else:
        state = RunState.FINISHED if is_finished(meta, cases) else RunState.UNFINISHED
    return ListedRun(
        directory,
        state,
        files,
        began,
        written,
        cases=cases,
        planned=meta.plan.total + meta.unasked,
        verdicts=verdicts,
        targets=tuple(str(target.get("name")) for target in meta.identity.get("targets", ())),
        cost_usd=usd,
        unpriced=unpriced,
        tokens=tokens,
        pruned=len(meta.pruned_media),
    )


def _began(directory: Path) -> datetime | None:
    """Return the time at the beginning of a run's log, which is in local time."""
    log = directory / _LOG
    try:
        if log.is_symlink():
            return None
        with log.open("rb") as file:
            said = file.read(_TIME_LENGTH).decode("ascii")
        return datetime.strptime(said, _TIME).astimezone(UTC)
    except (OSError, ValueError):
        return None
