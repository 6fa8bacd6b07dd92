"""Merges runs of one jury, such as those of several machines, into one."""

import os
import shutil
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from ....common import ConfigurationError, RecordError
from ....common.files import make_private, private_folder
from .._file import RECORD, locked, mark_of
from .._reader import RecordReader
from .._schema import SCHEMA, add_head, check_schema
from .._unchanged import is_begun
from ..identity import refuse_shared
from ..postgres import refuse_copy
from ._choice import Choice, Report
from ._facts import merged_facts
from ._files import copy_media, write_config, write_lists
from ._rows import Copying
from ._source import Source, check_alike, merged_identity


@dataclass(frozen=True, slots=True)
class MergedRun:
    """What the merged run has of one run.

    Attributes:
        directory: The run's directory.
        cases: Its finished cases.
        new: Those that the merged run takes of it.
        same: Those that a run before it has just so.
        differing: Those that a run before it has otherwise, and which are left out.
        elsewhere: Whether its models are reached at other addresses than those of the first.
    """

    directory: Path
    cases: int
    new: int
    same: int
    differing: int
    elsewhere: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged run.

    Attributes:
        directory: Its directory.
        runs: The runs that it is made of; the first is itself where it was there before.
        targets: Names of its targets.
        cases: Its finished cases.
        planned: Its planned cases.
    """

    directory: Path
    runs: tuple[MergedRun, ...]
    targets: tuple[str, ...]
    cases: int
    planned: int


def merge_runs(
    runs: Sequence[Path],
    into: Path,
    *,
    prefer_first: bool = False,
    dry_run: bool = False,
    report: Report = lambda what, number: None,
) -> Merged:
    """Merge runs of one jury into one; doing it twice changes nothing.

    A new run is written beside its place and put there when it is whole; one that is there takes
    all of it or nothing. So whenever it is killed, the same call goes on.

    Args:
        runs: The directories of the runs.
        into: The directory of the merged run; where a run is there, it comes first.
        prefer_first: Whether a case that two runs have judged otherwise is taken of the first.
        dry_run: Whether nothing is written.
        report: Told what is done.

    Raises:
        ConfigurationError: A run is named twice.
        RecordChangedError: A case is not as it was recorded.
        RecordError: A run cannot be read or written, the runs have different juries, one id means
            two queries, or two runs have judged a case otherwise.
    """
    refuse_copy(into, "name another directory")
    there = is_begun(into)
    if not there:
        mark_of(into)  # says why where a record is there and cannot be read
    if not there and into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise ConfigurationError(
            f"{into}: holds something else than a run: name a directory that is new"
        )
    try:
        return _merge(runs, into, there, prefer_first, dry_run, report)
    except sqlite3.Error as error:
        raise RecordError(f"{into}: a record cannot be read ({error}); is it damaged?") from error


def _merge(
    runs: Sequence[Path],
    into: Path,
    there: bool,
    prefer_first: bool,
    dry_run: bool,
    report: Report,
) -> Merged:
    """Merge runs; see `merge_runs`. `there` says whether `into` is a run already."""
    with ExitStack() as stack:
        if dry_run:
            place = into
        elif there:
            place = into
            stack.enter_context(locked(place))
        else:
            place = stack.enter_context(_beside(into))
        sources = [stack.enter_context(_opened(path)) for path in _paths(runs, into, there=there)]
        for first, other in combinations(sources, 2):
            check_alike(first, other)
        choice = Choice(sources, prefer_first=prefer_first, report=report)
        identity = merged_identity(sources)
        facts = merged_facts(sources, identity, into.name, into=there)
        if not dry_run:
            # What lies beside the record without it harms nothing; a record without it would.
            copy_media(sources[there:], place)
            _write(place, choice, sources, facts, report, into=there)
            write_lists(sources, place)
            write_config(sources, place)
            if not there:
                _put(place, into)
        return _merged(into, sources, facts, identity)


def _paths(runs: Sequence[Path], into: Path, *, there: bool) -> Iterator[Path]:
    seen = {into.resolve()} if there else set[Path]()
    if there:
        yield into
    for run in runs:
        if run.resolve() in seen:
            raise ConfigurationError(f"{run} is named twice: name each run once")
        seen.add(run.resolve())
        yield run


@contextmanager
def _opened(directory: Path) -> Generator[Source]:
    with closing(RecordReader(directory)) as reader:
        refuse_shared(directory, reader.meta.raw, "be merged")
        reader.check_unchanged()
        yield Source(directory, reader)


@contextmanager
def _beside(into: Path) -> Generator[Path]:
    """Make and lock the directory in which a new run is written; it is gone if that fails."""
    place = into.with_name(f".{into.name}.merging")
    try:
        private_folder(into.parent)
    except OSError as error:
        raise RecordError(f"{into.parent}: cannot be made ({error.strerror}).") from None
    with locked(place):
        try:
            for path in place.iterdir():  # of a merge that was killed
                if path.name.startswith(RECORD):
                    path.unlink()
            yield place
        finally:
            if place.exists():
                shutil.rmtree(place, ignore_errors=True)


def _write(
    place: Path,
    choice: Choice,
    sources: list[Source],
    facts: dict[str, str],
    report: Report,
    *,
    into: bool,
) -> None:
    path = place / RECORD
    try:
        make_private(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode = WAL")
            check_schema(database, whole=False)
            database.executescript(SCHEMA)
            database.execute("BEGIN IMMEDIATE")
            add_head(database)
            Copying(database, choice, sources, report).copy(facts, into=into)
            database.execute("COMMIT")
            if not into:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: cannot be written ({error}).") from None
    except sqlite3.Error as error:
        raise RecordError(
            f"{path}: cannot be written ({error}): free some space, then repeat the command."
        ) from None


def _put(place: Path, into: Path) -> None:
    try:
        with (place / RECORD).open("rb") as file:
            os.fsync(file.fileno())
        if into.exists():
            into.rmdir()  # it is empty
        place.rename(into)
    except OSError as error:
        raise RecordError(
            f"{into}: the merged run cannot be put there ({error.strerror}): name another place."
        ) from None


def _merged(
    into: Path, sources: list[Source], facts: dict[str, str], identity: dict[str, Any]
) -> Merged:
    return Merged(
        directory=into,
        runs=tuple(
            MergedRun(it.directory, it.cases, it.new, it.same, it.differing, it.elsewhere)
            for it in sources
        ),
        targets=tuple(str(said["name"]) for said in identity["targets"]),
        cases=sum(source.new for source in sources),
        planned=int(facts["total"]),
    )
