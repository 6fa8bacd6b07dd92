"""Commits rows in groups, a moment after they were written.

Commits are made on the event loop's own thread. They take about a millisecond; a thread of
their own would wait for the interpreter's lock at each statement, and be a second behind a
busy loop. Only copying the log into the database, which may wait for the disk, has a thread.
"""

import asyncio
import os
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, takewhile
from math import inf
from pathlib import Path
from time import monotonic

from ...common import RecordError

Row = tuple[object, ...]
"""The values of one row, in the order of the table's columns."""

_GROUP_ROWS = 100
_GROUP_S = 0.1
"""Less than the promised 0.25 s, because a busy loop is late."""
_HELD_S = 0.05
"""Seconds for which a held row is not written unless much may be lost: most are let go before."""
_AT_ONCE = 64
"""Rows a statement, or half as many and so on: SQLite keeps statements, and takes 999 values."""
_COPIED = 4 << 20
"""Characters written between two copies of SQLite's log into the database."""
_LONGEST_LOG = 64 << 20
"""Bytes of the log at which a commit copies it because the thread does not keep up."""


@dataclass(slots=True)
class _Held:
    """A row that is held, and not written yet."""

    table: str
    row: Row
    risk: float
    since: float


class GroupCommit:
    """Commits rows in groups: after 0.1 s, or as soon as there are 100 rows.

    Args:
        path: The database's file.
        database: The connection to it, in WAL mode.
        statements: By table, a statement with `{}` for its rows and the form of one row;
            within a group the tables are written in this order.
    """

    def __init__(
        self,
        path: Path,
        database: sqlite3.Connection,
        statements: Mapping[str, tuple[str, str]],
    ) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._database = database
        (page,) = database.execute("PRAGMA page_size").fetchone()
        self._database.execute(f"PRAGMA wal_autocheckpoint = {_LONGEST_LOG // page}")
        self._statements = statements
        self._files = _identities(self._path, self._log)
        self._rows: list[tuple[str, Row]] = []
        self._held: dict[object, _Held] = {}  # the oldest first
        self._risk = 0.0
        self._due: asyncio.TimerHandle | None = None
        self._due_by = 0.0  # when the rows must be committed, should the timer be late
        self._loop = asyncio.get_running_loop()
        self._broken: RecordError | None = None
        self._is_whole = True
        self._written = 0
        self._called = asyncio.Event()  # wakes `watch`

    def add(self, *rows: tuple[str, Row]) -> None:
        """Write rows, each with its table: all of them are committed together, or none.

        Raises:
            RecordError: They, or earlier ones, cannot be written.
        """
        self.check()
        self._rows += rows
        if self._is_due():
            self._commit_group()

    @contextmanager
    def together(self) -> Generator[None]:
        """Commit what is added within the block together, or nothing of it if it fails.

        Nothing may wait within the block.
        """
        begun, self._is_whole = len(self._rows), False
        try:
            yield
        except BaseException:
            del self._rows[begun:]
            raise
        finally:
            self._is_whole = True
        if self._rows and self._is_due():
            self._commit_group()

    def hold(self, table: str, row: Row, *, risk: float) -> None:
        """Write a row that `let_go` deletes; within 0.05 s that costs nothing.

        Args:
            table: Its table.
            row: The row, with a unique key as the first value.
            risk: Cost of losing it, in [0, 1]: held rows that are not written yet are
                committed at once when their sum reaches 1.

        Raises:
            RecordError: The row, or earlier ones, cannot be written.
        """
        self.check()
        self._held[row[0]] = _Held(table, row, risk, monotonic())
        self._risk += risk
        if self._is_due():
            self._commit_group()

    def let_go(self, table: str, key: object) -> None:
        """Delete a held row, in the same commit as the next rows.

        Args:
            table: Table whose statement deletes a committed row by its key.
            key: The row's first value.
        """
        if self._held.pop(key, None) is None:
            self._rows.append((table, (key,)))
            self._is_due()  # for the timer: what is written next goes into the same group

    def _is_due(self) -> bool:
        now = monotonic()
        if self._due is None:
            self._due = self._loop.call_later(_GROUP_S, self._commit_due)
            self._due_by = now + _GROUP_S
        if not self._is_whole:
            return False
        return len(self._rows) >= _GROUP_ROWS or self._risk >= 1 or now >= self._due_by

    def waiting(self, table: str, key: str) -> Row | None:
        """Return an uncommitted row of a table by its first value, None if there is none."""
        found = (row for name, row in reversed(self._rows) if name == table and row[0] == key)
        return next(found, None)

    def check(self) -> None:
        """Check that rows can still be written.

        Raises:
            RecordError: A commit has failed.
        """
        if self._broken is not None:
            raise self._broken

    def commit(self) -> None:
        """Commit all waiting rows.

        Raises:
            RecordError: They cannot be written.
        """
        self._commit(inf)

    def _commit_group(self) -> None:
        """Commit all waiting rows, but for what is held since a moment ago and is no great loss."""
        self._commit(inf if self._risk >= 1 else monotonic() - _HELD_S)

    def _commit(self, held_until: float) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        risk, rows = self._risk, self._take(held_until)
        # After a lost group the next one would keep results without their transcripts.
        if rows and self._broken is None:
            self._store(rows, risk)
        if self._held:
            self._is_due()  # for the timer

    def _take(self, held_until: float = inf) -> list[tuple[str, Row]]:
        """Take the waiting rows, and those that are held since a time or longer."""
        rows, self._rows = self._rows, []
        held = list(takewhile(lambda one: one.since <= held_until, self._held.values()))
        for one in held:
            del self._held[one.row[0]]
        self._risk = sum(one.risk for one in self._held.values()) if self._risk else 0.0
        return [*rows, *((one.table, one.row) for one in held)]

    def _store(self, rows: list[tuple[str, Row]], risk: float) -> None:
        """Store a group of rows, of which calls under way risk so much; see `hold`."""
        try:
            self._check_files()
            by_table: dict[str, list[Row]] = {table: [] for table in self._statements}
            for table, row in rows:
                by_table[table].append(row)
            with self._database:
                for table, group in by_table.items():
                    self._write(table, group)
        except sqlite3.Error as error:
            self._break(
                f"the record cannot be written ({error}). What was committed is safe: free some "
                "space or fix the directory"
            )
        if self._written > _COPIED:
            self._called.set()

    async def watch(self) -> None:
        """Copy SQLite's log into the database when it is long; commit the rest when canceled.

        Raises:
            RecordError: A commit has failed.
        """
        try:
            while True:
                await self._called.wait()
                self._called.clear()
                self.check()
                self._written = 0
                # Shielded: what runs in a thread cannot be stopped.
                copied = asyncio.create_task(asyncio.to_thread(self._copy_log))
                try:
                    await asyncio.shield(copied)
                except asyncio.CancelledError:
                    await copied
                    raise
        finally:
            self.commit()

    def _commit_due(self) -> None:
        with suppress(RecordError):  # `watch` raises it
            self._commit_group()

    def _check_files(self) -> None:
        """Check that the files are still in place: SQLite also writes to removed files."""
        if _identities(self._path, self._log) != self._files:
            self._break(
                "the record was removed or replaced while the run wrote to it, so no more calls "
                "are made: put it back if you can"
            )

    def _break(self, why: str) -> None:
        self._broken = RecordError(f"{self._path.parent}: {why}, then repeat the command.")
        self._called.set()
        raise self._broken

    def _write(self, table: str, rows: list[Row]) -> None:
        # Few statements of many rows take a third of the time of one statement a row.
        statement, places = self._statements[table]
        at, size = 0, _AT_ONCE
        while at < len(rows):
            while size > len(rows) - at:
                size //= 2
            listed = ", ".join([places] * size)
            values = list(chain.from_iterable(rows[at : at + size]))
            self._database.execute(statement.format(listed), values)
            self._written += sum([len(value) for value in values if type(value) is str])
            at += size

    def _copy_log(self) -> None:
        with suppress(sqlite3.Error), closing(sqlite3.connect(self._path)) as database:
            database.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _identities(*paths: Path) -> list[tuple[int, int] | None]:
    return [_identity(path) for path in paths]


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
