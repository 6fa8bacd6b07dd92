"""Removes the pictures and sounds of a run, with a note in its record."""

import os
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ....common import RecordChangedError, RecordError
from .._deliberated import describe_changed
from .._file import RECORD, locked
from .._media import MEDIA, is_named_by_hash
from .._meta import Meta, bound_anew
from .._reader import RecordReader
from ..identity import PRUNED, Pruned, written_notes
from ..integrity import ChangedCase
from ..postgres import refuse_copy

_PUT = "INSERT OR REPLACE INTO meta VALUES (?, ?)"
_NAMED = 3
"""Changed cases that an error names."""


@contextmanager
def hold(directory: Path) -> Generator[None]:
    """Keep other processes from writing to a run; for a run alone, since its folder is made.

    Raises:
        RecordError: Another process writes to it, or it cannot be locked.
    """
    if not (directory / RECORD).is_file():
        raise RecordError(
            f"{directory}: there is no run here: name the directory that holds {RECORD}."
        )
    with locked(directory):
        yield


def is_finished(meta: Meta, cases: int) -> bool:
    """Return whether a run with so many finished cases has all that were planned."""
    return cases >= meta.plan.total + meta.unasked


def prune_media(directory: Path) -> Pruned | None:
    """Remove the pictures and sounds of a run; call it while you `hold` the run.

    The record says first what is removed, so that a kill between leaves no medium that is gone
    without a note. What goes on with an unfinished run takes its media from the set again.

    Returns:
        What was removed, None where there was nothing.

    Raises:
        RecordChangedError: A case or medium is not as it was recorded; nothing is removed, as that
            would hide it.
        RecordError: The record cannot be read or written, or a file cannot be removed.
    """
    refuse_copy(directory, "remove what there is of it there")
    with closing(RecordReader(directory)) as reader:
        files = dict(_media_files(directory / MEDIA))
        if not files:
            return None
        changed: list[ChangedCase] = []
        found = reader.check(changed.append, read_media=True)
        if found.is_changed:
            raise RecordChangedError(describe_changed(directory, changed[:_NAMED], found))
        meta = reader.meta
    note = Pruned(
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        version=version("safejury"),
        media=tuple(sorted(files)),
        size=sum(files.values()),
    )
    _write_note(directory / RECORD, meta, note)
    try:
        for name in note.media:
            (directory / MEDIA / name).unlink(missing_ok=True)
    except OSError as error:
        raise RecordError(
            f"{directory / MEDIA}: a file cannot be removed ({error.strerror}): change its "
            "permissions, then repeat the command."
        ) from None
    return note


def _media_files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield name and size of the files that are named by their hash; links are not followed."""
    if folder.is_symlink():
        raise RecordError(
            f"{folder} is a link to another place, so nothing there is removed: remove it yourself."
        )
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_named_by_hash(entry.name) and entry.is_file(follow_symlinks=False):
                    yield entry.name, entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return
    except OSError as error:
        raise RecordError(f"{folder}: cannot be read ({error.strerror}).") from None


def _write_note(path: Path, meta: Meta, note: Pruned) -> None:
    """Add a note to the facts on the run; when the run was last written stays as it was."""
    raw = bound_anew({**meta.raw, PRUNED: written_notes([*meta.pruned, note])})
    try:
        before = path.stat()
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(
                _PUT, [(key, raw[key]) for key in raw if raw[key] != meta.raw.get(key)]
            )
            database.execute("COMMIT")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    except sqlite3.Error as error:
        raise RecordError(f"{path}: the record cannot be written ({error}).") from None
    except OSError as error:
        raise RecordError(f"{path}: the record cannot be written ({error.strerror}).") from None
