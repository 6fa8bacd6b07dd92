"""Brings the copy of a run in its directory up to date: a record as SQLite, as of one run alone.

The copy says by its `user_version` up to which revision it is, in the same transaction as the rows.
What was deleted in the database is deleted here too, and what of it came again is read anew. Two
processes may do this at once: SQLite lets one of them wait.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ....common import RecordError
from ....common.files import atomic_write, make_private, private_folder
from .._schema import PAGE, SCHEMA, check_schema
from ._client import Connection, connect, errors, unusable
from ._place import Place
from ._tables import COLUMNS, check_tables

_LOCKED_S = 120
"""How long SQLite waits for another process that brings the same copy up to date."""
_AT_ONCE = 2_000
_PICTURES_AT_ONCE = 8
_OF_RUN = "SELECT id, token, revision, facts_revision FROM safejury_runs WHERE name = %s"
_DELETED = """
SELECT what, key FROM safejury_deleted WHERE run = %s AND revision > %s AND revision <= %s
"""
_SHOWN = "SELECT sha256 FROM safejury_shown WHERE run = %s AND revision > %s AND revision <= %s"
_CONTENT = "SELECT sha256, content FROM safejury_media WHERE sha256 = ANY(%s)"
_FACTS = "SELECT key, value FROM safejury_meta WHERE run = %s"
_DELETED_BY = {"entries": "case_id", "answers": "case_id", "calls": "call_id", "charges": "id"}


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that is up to date.

    Attributes:
        run: The run's number in its database.
        token: What tells it from other runs of its name.
        revision: Up to which change it is.
    """

    run: int
    token: str
    revision: int


def bring_up_to_date(place: Place, directory: Path, record: str, media: str) -> Copied:
    """Bring the copy in a run's directory up to date, with its media.

    Args:
        place: Where the run is kept.
        directory: The run's directory, created if missing.
        record: The name of the copy.
        media: The name of the folder of media.

    Raises:
        RecordError: The database has no such run, or cannot be read.
    """
    try:
        with connect(place) as connection:
            return copy_run(connection, place, directory, record, media)
    except errors() as error:
        raise unusable(place, error) from None


def copy_run(
    connection: Connection,
    place: Place,
    directory: Path,
    record: str,
    media: str,
    *,
    also: Callable[[Connection, sqlite3.Connection, Copied], None] | None = None,
) -> Copied:
    """Bring a copy up to date on an open connection; see `bring_up_to_date`.

    Args:
        connection: To the database.
        place: Where the run is kept.
        directory: See `bring_up_to_date`; so are the others.
        record: The name of the copy.
        media: The name of the folder of media.
        also: Reads both then, as they are at one moment.

    Raises:
        RecordError: The database has no such run, or the copy cannot be written.
        psycopg.Error: The database cannot be read.
    """
    try:
        private_folder(directory)
        private_folder(directory / media)
        path = directory / record
        if not path.exists():  # to open one that SQLite has open would drop its locks
            make_private(path)
        with closing(sqlite3.connect(path, timeout=_LOCKED_S, isolation_level=None)) as database:
            database.execute(f"PRAGMA page_size = {PAGE}")  # of a new file
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            check_schema(database, whole=False)
            database.executescript(SCHEMA)
            database.execute("BEGIN IMMEDIATE")
            with connection.transaction():
                copied = _Copying(connection, place, database, directory / media).copy()
                if also is not None:
                    also(connection, database, copied)
            database.execute("COMMIT")
        replace(place, token=copied.token).keep(directory)
    except (sqlite3.Error, ValueError, OSError) as error:
        raise RecordError(f"{directory}: the copy cannot be written ({error}).") from None
    return copied


def _last_copy(place: Place, directory: Path) -> RecordError:
    """Return the error for a copy that may be all that is left of a run."""
    return RecordError(
        f"{directory}: holds a copy of a run {place.run!r} that {place.shown} does not have any "
        "more, so it may be all that is left: restore the database, or move the directory away."
    )


class _Copying:
    def __init__(
        self, connection: Connection, place: Place, database: sqlite3.Connection, folder: Path
    ) -> None:
        self._connection = connection
        self._place = place
        self._database = database
        self._folder = folder
        self._run = self._since = self._until = 0

    def copy(self) -> Copied:
        self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        if not check_tables(self._connection, self._place):
            raise self._missing()
        found = self._connection.execute(_OF_RUN, (self._place.run,)).fetchone()
        if found is None:
            raise self._missing()
        self._run, token, self._until, facts = found
        self._since = int(self._database.execute("PRAGMA user_version").fetchone()[0])
        directory = self._folder.parent
        kept = Place.kept(directory)
        another = kept is not None and kept.token not in ("", token)
        if another and self._database.execute("SELECT 1 FROM cases LIMIT 1").fetchone():
            raise _last_copy(self._place, directory)
        if kept is None or kept.token != token:
            replace(self._place, token="").keep(directory)  # until it is that one's copy
            self._clear()
        elif self._until < self._since:
            self._clear()  # a backup was restored
        if self._until > self._since:
            self._copy_rows(facts)
        return Copied(self._run, token, self._until)

    def _missing(self) -> RecordError:
        return RecordError(
            f"{self._place.shown}: has no run {self._place.run!r}: restore the database, or "
            "move the directory away to begin anew."
        )

    def _clear(self) -> None:
        for table in (*COLUMNS, "meta"):
            self._database.execute(f"DELETE FROM {table}")
        self._since = 0

    def _copy_rows(self, facts: int) -> None:
        if facts > self._since:
            self._database.execute("DELETE FROM meta")
            rows = self._connection.execute(_FACTS, (self._run,)).fetchall()
            self._database.executemany("INSERT INTO meta VALUES (?, ?)", rows)
        if self._since:
            self._delete()
        for table in COLUMNS:
            self._keep(table, self._changed(table))
        self._fetch_media()
        self._database.execute(f"PRAGMA user_version = {self._until}")

    def _delete(self) -> None:
        gone: dict[str, set[str]] = {}
        for what, key in self._connection.execute(_DELETED, self._range):
            gone.setdefault(what, set()).add(key)
        for table, keys in gone.items():
            name = "rowid" if table == "charges" else _DELETED_BY[table]
            values = [int(key) if table == "charges" else key for key in keys]
            self._database.executemany(
                f"DELETE FROM {table} WHERE {name} = ?", [(value,) for value in values]
            )
            self._keep(table, self._again(table, values))

    @property
    def _range(self) -> tuple[int, int, int]:
        return self._run, self._since, self._until

    def _changed(self, table: str) -> Iterator[Sequence[Any]]:
        """Yield the rows of a table that are new."""
        sql = (
            f"SELECT {', '.join(COLUMNS[table])} FROM safejury_{table} WHERE run = %s "
            "AND revision > %s AND revision <= %s"
        )
        with self._connection.cursor(name=f"copy_{table}") as cursor:
            cursor.itersize = _AT_ONCE
            cursor.execute(f"{sql}{settled(table)}", self._range)
            yield from cursor

    def _again(self, table: str, keys: Sequence[object]) -> Iterator[Sequence[Any]]:
        """Yield what there is of a table in place of what was deleted."""
        sql = (
            f"SELECT {', '.join(COLUMNS[table])} FROM safejury_{table} WHERE run = %s "
            f"AND {_DELETED_BY[table]} = ANY(%s)"
        )
        yield from self._connection.execute(f"{sql}{settled(table)}", (self._run, list(keys)))

    def _keep(self, table: str, rows: Iterator[Sequence[Any]]) -> None:
        columns = COLUMNS[table]
        names = ", ".join("rowid" if (table, c) == ("charges", "id") else c for c in columns)
        places = ", ".join("?" * len(columns))
        sql = f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({places})"
        self._database.executemany(sql, rows)

    def _fetch_media(self) -> None:
        shown = [name for (name,) in self._connection.execute(_SHOWN, self._range)]
        missing = [name for name in shown if not (self._folder / name).exists()]
        for at in range(0, len(missing), _PICTURES_AT_ONCE):
            names = missing[at : at + _PICTURES_AT_ONCE]
            for name, content in self._connection.execute(_CONTENT, (names,)):
                if hashlib.sha256(content).hexdigest() != name:
                    raise RecordError(
                        f"{self._place.shown}: the medium {name[:12]} has another content than "
                        "it was stored with: restore the database from a backup."
                    )
                with atomic_write(self._folder / name, private=True) as file:
                    file.write(content)


def settled(table: str) -> str:
    """Leave out what calls hold that are under way: they are no costs yet."""
    return " AND kind <> 'open'" if table == "charges" else ""
