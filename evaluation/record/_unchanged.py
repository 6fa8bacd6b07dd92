"""Looks at the record of a run before it is resumed: nothing is spent on a changed one."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from ._file import open_read_only, record_in
from ._reader import RecordReader
from .growth import Grown
from .identity import refuse_shared

Grow = Callable[[RecordReader], Awaitable[Grown | None]]
"""Says what is stored of a run that is opened again; None where nothing of it is kept."""
_ANY_META = "SELECT 1 FROM meta LIMIT 1"


async def looked_at(directory: Path, grow: Grow | None) -> Grown | None:
    """Refuse to resume a run whose record was changed, and return what is stored of it now.

    Args:
        directory: The run's directory; without a run in it there is nothing to return.
        grow: Compares the run with what is asked now.

    Raises:
        RecordChangedError: Something was changed after it was recorded.
        RecordError: It cannot be read, or is that of another configuration.
    """
    if not is_begun(directory):
        return None
    with closing(RecordReader(directory)) as reader:
        refuse_shared(directory, reader.meta.raw, "go on or grow")
        reader.check_unchanged()
        return None if grow is None else await grow(reader)


def is_begun(directory: Path) -> bool:
    """Return whether a directory has a record with data of a run."""
    path = record_in(directory)
    if not path.is_file():
        return False
    try:
        with closing(open_read_only(path)) as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master")]
            return "meta" in tables and database.execute(_ANY_META).fetchone() is not None
    except sqlite3.Error:
        return False  # the writer says what is wrong with it
