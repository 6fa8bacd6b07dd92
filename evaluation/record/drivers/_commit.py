"""Sends groups of rows to the database, by a task of their own: nothing waits on the event loop."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from ....common import RecordError
from ....common.text import many
from .._group_commit import GroupCommit
from .._media import MEDIA
from ..postgres import Connection
from ._group import Group, Row, Written, by_table, upload, write_group
from ._leases import Driver, set_back
from ._link import Link
from ._unsent import keep_unsent

_AT_ONCE = 2_000
"""Rows of one transaction."""
_LARGEST = 8 << 20
"""Characters after which a transaction takes no more rows, so that a slow way carries it."""
_MOST_WAITING = 20_000
"""Rows after which new calls wait until the database has stored some."""


class SharedCommit(GroupCommit):
    """Gathers rows as `GroupCommit` does, and stores them in a database that is elsewhere.

    Args:
        path: The run's copy.
        database: The connection to it, which is only read here.
        statements: Those of SQLite, which are not used.
        link: The database.
        driver: Who writes.
        token: What tells the run from others.
        tell: Told of what was dropped.
    """

    def __init__(
        self,
        path: Path,
        database: sqlite3.Connection,
        statements: Mapping[str, tuple[str, str]],
        *,
        link: Link,
        driver: Driver,
        token: str,
        tell: Callable[[str], None],
    ) -> None:
        super().__init__(path, database, statements)
        self._directory = path.parent
        self._link = link
        self._driver = driver
        self._token = token
        self._tell = tell
        self._queue: list[list[tuple[str, Row]]] = []
        self._queued = 0  # rows, those under way included
        self._taken = self._sent = 0  # groups of `_store`
        self._must = 0  # the group that must be stored before a call is made
        self._number = 0  # of transactions
        self._group: Group | None = None
        self._sending = [0, 0]  # its groups and rows
        self._one_at_a_time = asyncio.Lock()
        self._answers: dict[str, tuple[Row, int | None]] = {}
        self._settled = list[asyncio.Future[None]]()
        self._late = 0

    @property
    def is_behind(self) -> bool:
        """Whether new calls wait until what was written is stored."""
        return self._sent < self._must or self._queued > _MOST_WAITING or self._link.is_away

    async def stored(self) -> None:
        """Wait until all that was written is stored.

        Raises:
            RecordError: It cannot be.
        """
        self.commit()
        await self._send_all()
        self.check()

    def waiting(self, table: str, key: str) -> Row | None:
        """Return a row that the copy lacks; see `GroupCommit.waiting`."""
        found = super().waiting(table, key)
        if found is None and table == "answers" and key in self._answers:
            return self._answers[key][0]
        return found

    def copied(self, revision: int) -> None:
        """Forget what the copy has, which is up to a revision."""
        self._answers = {
            key: kept
            for key, kept in self._answers.items()
            if kept[1] is None or kept[1] > revision
        }

    async def watch(self) -> None:
        """Store what is written, until canceled.

        Raises:
            RecordError: It cannot be stored: the database was away for too long, or refuses it.
        """
        while True:
            await self._called.wait()
            self._called.clear()
            await self._send_all()

    async def _send_all(self) -> None:
        async with self._one_at_a_time:
            try:
                while self._queue or self._group is not None:
                    await self._send()
            except RecordError as error:
                self._broken = error
                self.notify()
                raise

    def _store(self, rows: list[tuple[str, Row]], risk: float) -> None:
        for table, row in rows:
            if table == "answers":
                self._answers[str(row[0])] = (row, None)
        self._queue.append(rows)
        self._queued += len(rows)
        self._taken += 1
        if risk >= 1:
            self._must = self._taken
        self._called.set()

    async def _send(self) -> None:
        if self._group is None:
            self._group, *self._sending = self._next()
        written = await self._link.do(partial(self._write_group, group=self._group))
        for row in self._group.rows.get("answers", ()):
            kept = self._answers.get(row[0])
            if kept is not None and kept[0] == row:
                self._answers[row[0]] = (row, written.revision)
        self._group = None
        groups, number = self._sending
        self._sent += groups
        self._queued -= number
        if written.set_back:
            raise set_back()
        if written.late:
            self._drop(written)
        self.notify()

    async def _write_group(self, connection: Connection, group: Group) -> Written:
        if names := [name for (name,) in group.rows.get("media", ())]:
            await upload(connection, self._directory / MEDIA, names)
        return await write_group(connection, self._driver.run, group, self._driver.lease)

    def _next(self) -> tuple[Group, int, int]:
        """Take the next transaction out of the queue, with how many groups and rows it has."""
        rows, groups, size = list[tuple[str, Row]](), 0, 0
        for group in self._queue:
            if rows and (len(rows) >= _AT_ONCE or size >= _LARGEST):
                break
            rows += group
            groups += 1
            size += sum(len(value) for _, row in group for value in row if type(value) is str)
        del self._queue[:groups]
        self._number += 1
        return Group(self._driver.number, self._number, by_table(rows)), groups, len(rows)

    def _drop(self, written: Written) -> None:
        if not self._late:
            cases = many(len(written.late), "case")
            self._tell(
                f"The lease on {cases} ran out, and another driver has them: what comes late of "
                "them is dropped, and its calls are paid all the same"
            )
        self._late += len(written.late)

    def keep_unsent(self) -> None:
        """Keep what the database did not get, for the next command."""
        groups = [] if self._group is None else [self._group]
        if rows := self._take():
            self._queue.append(rows)
        while self._queue:
            groups.append(self._next()[0])
        with suppress(OSError):
            keep_unsent(self._directory, self._token, groups)

    def change(self) -> asyncio.Future[None]:
        """Return what is done when calls that wait are to look again.

        Raises:
            RecordError: Nothing can be stored any more.
        """
        self.check()
        change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._settled.append(change)
        return change

    def notify(self) -> None:
        """Let calls that wait look again whether they may be made."""
        settled, self._settled = self._settled, []
        for change in settled:
            if not change.done():
                change.set_result(None)
