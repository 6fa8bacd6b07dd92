"""Finds what of a run can be removed, and removes it."""

import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from ...common import RecordError
from ..record import (
    MEDIA,
    RecordReader,
    hold,
    is_being_written,
    is_finished,
    last_written,
    prune_media,
)
from ._files import entries, is_left_over, is_page_of, is_run, left_beside, run_files, size_of


class PieceKind(StrEnum):
    """What can be removed of a run."""

    LEFTOVERS = "leftovers"
    """Temporary files of processes that were killed."""
    PAGES = "pages"
    """Pages in the run's directory."""
    MEDIA = "media"
    """Its pictures and sounds."""
    RUN = "run"
    """All of it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a run that can be removed.

    Attributes:
        kind: What it is.
        path: Where it is.
        size: Bytes.
        note: What else must be known of it; empty for nothing.
    """

    kind: PieceKind
    path: Path
    size: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Prunable:
    """A run, and what can be removed of it.

    Attributes:
        directory: The run's directory.
        pieces: What can be removed; pieces of `RUN` hold all others.
        why_not: Why nothing can be, None where something may.
        too_young: Whether that is because it was written later than asked for.
        keeps_media: Whether its media stay because it is not finished.
    """

    directory: Path
    pieces: tuple[Piece, ...] = ()
    why_not: str | None = None
    too_young: bool = False
    keeps_media: bool = False

    def of(self, kinds: Collection[PieceKind]) -> tuple[Piece, ...]:
        """Return the pieces of some kinds; where the run goes as a whole, that one alone."""
        if PieceKind.RUN in kinds:
            kinds = {PieceKind.RUN}
        return tuple(piece for piece in self.pieces if piece.kind in kinds)


def look_at(
    directory: Path, *, unfinished: bool = False, before: datetime | None = None
) -> Prunable:
    """Find what of a run can be removed; nothing is changed.

    Args:
        directory: The run's directory.
        unfinished: Whether media of a run that is not finished may go.
        before: Only a run whose record was written last before this time.

    Raises:
        RecordError: There is no run.
    """
    if not is_run(directory):
        raise RecordError(f"{directory}: there is no run here")
    if directory.is_symlink():
        return Prunable(directory, why_not="a link to another place: name the run itself")
    if is_being_written(directory):
        return Prunable(directory, why_not="it is being written")
    if before is not None and last_written(directory) >= before:
        return Prunable(directory, why_not="it was written later than that", too_young=True)
    finished = _is_finished(directory)
    keeps = not (finished or unfinished)
    pieces = tuple(_pieces(directory, keeps=keeps))
    return Prunable(directory, pieces, keeps_media=keeps and finished is False)


def _is_finished(directory: Path) -> bool | None:
    """Return whether a run is finished, None where it cannot be read."""
    try:
        with closing(RecordReader(directory)) as reader:
            return is_finished(reader.meta, reader.counts()[0])
    except RecordError:
        return None


def _pieces(directory: Path, *, keeps: bool) -> Iterator[Piece]:
    for entry in sorted(entries(directory), key=lambda entry: entry.name):
        if entry.name == MEDIA and not entry.is_symlink():
            for each in entries(entry.path):
                if is_left_over(each):
                    yield Piece(PieceKind.LEFTOVERS, directory / MEDIA / each.name, size_of(each))
            if (size := size_of(entry)) and not keeps:
                yield Piece(PieceKind.MEDIA, directory / MEDIA, size)
        elif is_left_over(entry):
            yield Piece(PieceKind.LEFTOVERS, directory / entry.name, size_of(entry))
        elif is_page_of(entry):
            yield Piece(PieceKind.PAGES, directory / entry.name, size_of(entry))
    for entry in left_beside(directory):
        yield Piece(PieceKind.LEFTOVERS, directory.with_name(entry.name), size_of(entry))
    own = "with labels of people" if (directory / "labels.jsonl").exists() else ""
    yield Piece(PieceKind.RUN, directory, run_files(directory).total, own)


def prune(
    run: Prunable, kinds: Collection[PieceKind], told: Callable[[Piece], None] = lambda _: None
) -> int:
    """Remove pieces of a run, and return their bytes.

    Nobody else writes to the run meanwhile. Links are removed, never followed.

    Args:
        run: As `look_at` found it.
        kinds: What is removed.
        told: Told of each piece that was.

    Raises:
        RecordChangedError: Media are to be removed and the record was changed.
        RecordError: Another process writes to the run, or a file cannot be removed.
    """
    removed, pieces = 0, run.of(kinds)
    if not pieces:
        return 0
    with hold(run.directory):
        for piece in pieces:
            if piece.kind is PieceKind.RUN:
                _remove_run(run.directory)
            elif piece.kind is PieceKind.MEDIA:
                prune_media(run.directory)
            else:
                _remove(piece.path)
            removed += piece.size
            told(piece)
    return removed


def _remove_run(directory: Path) -> None:
    """Remove a run as a whole: from the first moment, nobody finds half of one."""
    going = directory.with_name(f".{directory.name}.pruning-{secrets.token_hex(4)}")
    try:
        directory.rename(going)
        shutil.rmtree(going)
    except OSError as error:
        raise RecordError(
            f"{directory}: cannot be removed ({error.strerror}): change its permissions, and "
            f"remove {going.name} beside it where that is there."
        ) from None


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            with suppress(FileNotFoundError):
                os.unlink(path)
    except OSError as error:
        raise RecordError(f"{path}: cannot be removed ({error.strerror}).") from None
