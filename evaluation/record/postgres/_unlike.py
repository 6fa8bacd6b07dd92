"""Compares what a database holds of a run with its copy: what was changed past safejury there."""

import hashlib
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path

from .._media import MEDIA
from .._schema import RECORD
from ._client import Connection, connect, errors, unusable
from ._copy import Copied, copy_run, settled
from ._place import Place
from ._tables import COLUMNS, TYPES

_NAMED = 3
"""Rows of a table that are named."""
_WHAT = {
    "calls": "calls",
    "entries": "transcripts",
    "cases": "results",
    "charges": "charges",
    "servers": "times of servers",
    "answers": "responses",
    "meta": "facts of the run",
}
_COLUMNS = {**COLUMNS, "meta": ("key", "value")}
_BETWEEN = "\x1f"
_DIGITS = 15
"""Of a row's hash, in hexadecimal, so that it fits into a number of 64 bits."""
_MEDIA = """
SELECT sha256 FROM safejury_shown JOIN safejury_media USING (sha256)
WHERE run = %s AND encode(sha256(content), 'hex') <> sha256
"""


def unlike_copy(directory: Path) -> list[str]:
    """Return what a database holds otherwise than the copy in a run's directory.

    The copy is brought up to date first. So what differs was changed in the database past
    safejury, which keeps no driver's change from those that copied before.

    Args:
        directory: The run's directory; of one that no database keeps nothing is returned.

    Raises:
        RecordError: The database cannot be read, or the copy not be written.
    """
    place = Place.kept(directory)
    if place is None:
        return []
    found = list[str]()

    def compare(connection: Connection, copy: sqlite3.Connection, copied: Copied) -> None:
        for table, what in _WHAT.items():
            if keys := _unlike(connection, copy, copied.run, table):
                found.append(_named(what, keys))
        names = [name[:12] for (name,) in connection.execute(_MEDIA, (copied.run,))]
        if names:
            found.append(_named("media", names))

    try:
        with connect(place) as connection:
            copy_run(connection, place, directory, RECORD, MEDIA, also=compare)
    except errors() as error:
        raise unusable(place, error) from None
    return found


def _named(what: str, keys: list[str]) -> str:
    more = f" and {len(keys) - _NAMED:,} more" if len(keys) > _NAMED else ""
    return f"{what} ({', '.join(map(repr, keys[:_NAMED]))}{more})"


def _unlike(connection: Connection, copy: sqlite3.Connection, run: int, table: str) -> list[str]:
    """Return the keys of the rows of a table that differ."""
    row, key = _row(table), _COLUMNS[table][0]
    which = f"FROM safejury_{table} WHERE run = %s{settled(table)}"
    number = f"('x' || left(md5({row}), {_DIGITS}))::bit({4 * _DIGITS})::bigint"
    both = f"SELECT count(*), coalesce(sum({number}), 0) {which}"
    there = connection.execute(both, (run,)).fetchone()
    count = total = 0
    for _, found in _copied_rows(copy, table):
        count, total = count + 1, total + int(found[:_DIGITS], 16)
    if there == (count, total):
        return []
    each = connection.execute(f"SELECT {key}::text, md5({row}) {which}", (run,)).fetchall()
    return sorted({name for name, _ in {*each} ^ {*_copied_rows(copy, table)}})


def _row(table: str) -> str:
    """Return SQL for all of a row as one text."""
    columns = [
        f"coalesce('=' || {_text(name, TYPES.get(name, 'text'))}, '-')" for name in _COLUMNS[table]
    ]
    return f" || '{_BETWEEN}' || ".join(columns)


def _text(column: str, kind: str) -> str:
    return f"encode(float8send({column}), 'hex')" if kind == "double precision" else column


def _copied_rows(copy: sqlite3.Connection, table: str) -> Iterator[tuple[str, str]]:
    """Yield the key of each row of the copy, and the hash of all of it."""
    names = ["rowid" if (table, name) == ("charges", "id") else name for name in _COLUMNS[table]]
    reals = [TYPES.get(name) == "double precision" for name in _COLUMNS[table]]
    for row in copy.execute(f"SELECT {', '.join(names)} FROM {table}"):
        values = (
            "-"
            if value is None
            else f"={struct.pack('>d', value).hex()}"
            if is_real
            else f"={value}"
            for value, is_real in zip(row, reals, strict=True)
        )
        said = _BETWEEN.join(values).encode()
        yield str(row[0]), hashlib.md5(said, usedforsecurity=False).hexdigest()
