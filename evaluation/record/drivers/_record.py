"""The record of a run that several drivers write, as one of them has it."""

import asyncio
import math
import secrets
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from ....common import seconds_since_boot
from ....common.text import many
from ....datasets import Media
from ....models import Budget
from ...trials import CaseResult, case_of
from .._media import MEDIA
from .._record import Record
from .._schema import RECORD
from ..growth import Grown
from ..postgres import Place, connect, copy_run, errors
from ..stored import StoredCall, StoredEntry
from ._budget import BudgetShare
from ._commit import SharedCommit
from ._group import Row
from ._leases import Driver, end, open_leases, renew, take
from ._link import Link

_POLL_S = 1.0
"""How often a driver without trials looks whether others left some."""
_LEAST_BETWEEN_S = 0.3
_RENEWALS = 3
"""In the time of a lease."""
_LEAST_ID = 1 << 62


class SharedRecord(Record):
    """Writes the record of a run that a database keeps for several drivers.

    What it reads comes from the copy in the run's directory, which it brings up to date from time
    to time, and before what depends on others.

    Args:
        directory: The run's directory.
        database: The copy.
        commits: Stores rows in the database.
        place: The database.
        driver: This driver.
        link: The connection to it.
        tell: Told what others do.
        grown: What the run's config added.
    """

    def __init__(
        self,
        directory: Path,
        database: sqlite3.Connection,
        commits: SharedCommit,
        *,
        place: Place,
        driver: Driver,
        link: Link,
        tell: Callable[[str], None],
        grown: Grown | None,
    ) -> None:
        super().__init__(directory, database, commits, resumed=True, grown=grown)
        # Numbers of holds are below 0 and differ between drivers.
        self._holds = -secrets.randbelow(_LEAST_ID)
        self._shared = commits
        self._place = place
        self._driver = driver
        self._link = link
        self._tell = tell
        self._under_way = set[str]()
        self._granted = 0
        self._left: int | None = None
        self._seen = -1
        self._revision = int(database.execute("PRAGMA user_version").fetchone()[0])
        self._copying = asyncio.Lock()
        self._stored_media = set[str]()
        self._own_calls: dict[str, list[StoredCall]] = {}  # of cases under way
        self._audited: dict[str, dict[int, StoredEntry]] = {}
        self._audited_cases: dict[str, Row] = {}
        self._budget: BudgetShare | None = None
        self._asked = asyncio.Event()
        self._outdated = asyncio.Event()
        self._renewed = seconds_since_boot()

    @property
    def is_behind(self) -> bool:
        """Whether new calls wait; see `Ledger.is_behind`.

        They do after the lease ran out, as others may have the trials and the budget by now.
        """
        return self._shared.is_behind or seconds_since_boot() - self._renewed > self._driver.lease

    async def caught_up(self) -> None:
        """Wait until new calls may be made.

        Raises:
            RecordError: Nothing can be stored any more.
        """
        while self.is_behind:
            await self._shared.change()

    async def take(self, case_ids: Sequence[str], *, finished: bool = False) -> Collection[str]:
        """Take the trials of cases that no other driver has; return the ids of those taken."""
        free = [case_id for case_id in case_ids if case_id not in self._under_way]
        if not free:
            return ()
        seen, retried = (self._revision, -1) if finished else (self._seen, self._seen)
        taken = await self._link.do(
            partial(take, driver=self._driver, cases=free, seen=seen, retried=retried)
        )
        if not finished:
            self._under_way |= taken.cases
        self._granted += len(taken.cases)
        if taken.earlier:
            await self.refresh()  # its calls are not paid again
        return taken.cases

    async def wait_for_others(self) -> bool:
        """Wait until other drivers finish or leave their trials; return whether they left any.

        Raises:
            RecordError: The database is away for too long.
        """
        await self.settle()
        granted, self._granted = self._granted, 0
        told = False
        while True:
            working, gone = await self._link.do(partial(open_leases, driver=self._driver))
            if gone and (granted or gone != self._left):
                self._left = gone
                await self.refresh()
                return True
            if not working:
                await self.refresh()
                return False
            if not told:
                told = True
                self._tell(
                    f"All cases are taken: waiting for {many(working, 'case')} of other drivers"
                )
            await asyncio.sleep(_POLL_S)

    async def share(
        self, budget: Budget, max_tokens_total: int | None, max_cost_usd: float | None
    ) -> None:
        """Let a budget hold for all drivers together; see `RunRecord.share`."""
        limits = max_tokens_total, max_cost_usd
        tokens, usd = (math.inf if limit is None else float(limit) for limit in limits)
        share = BudgetShare(budget, (tokens, usd))
        await self._link.do(partial(share.renew, driver=self._driver))
        self._budget, budget.asks = share, self._asked.set

    async def settle(self) -> None:
        """Store all that was written, and bring the copy up to date."""
        await self._shared.stored()
        await self.refresh()
        self._audited.clear()
        self._audited_cases.clear()

    async def refresh(self) -> None:
        """Bring the copy up to date."""
        async with self._copying:
            since = time.monotonic()
            while True:
                await self._link.do(_is_there)
                copying = asyncio.create_task(asyncio.to_thread(self._copy))
                try:
                    revision = await asyncio.shield(copying)
                except asyncio.CancelledError:  # what runs in a thread cannot be stopped
                    await asyncio.wait({copying})
                    raise
                except errors() as error:
                    await self._link.pause(error, since)
                else:
                    self._revision = revision
                    self._shared.copied(revision)
                    return

    async def keep_lease(self) -> None:
        """Renew the driver's lease until canceled, and let `keep_copy` know what changed."""
        while True:
            revision, since = await self._link.do(self._renew)
            if self._budget is not None:
                await self._link.do(partial(self._budget.renew, driver=self._driver))
            self._renewed = since
            self._shared.notify()
            if revision > self._revision:
                self._outdated.set()
            await asyncio.sleep(_LEAST_BETWEEN_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._driver.lease / _RENEWALS):
                    await self._asked.wait()
            self._asked.clear()

    async def _renew(self, connection: Any) -> tuple[int, float]:
        since = seconds_since_boot()
        return await renew(connection, self._driver), since

    async def keep_copy(self) -> None:
        """Bring the copy up to date until canceled; leases are renewed however long it takes."""
        while True:
            await self._outdated.wait()
            self._outdated.clear()
            await self.refresh()

    async def end(self) -> None:
        """Store what is left, and leave the run to others."""
        await self.settle()
        await self._link.do(partial(end, driver=self._driver))

    def write_result(self, case_id: str, result: CaseResult) -> None:
        """Store the result of a case; see `Record.write_result`."""
        super().write_result(case_id, result)
        self._own_calls.pop(case_id, None)
        if case_id not in self._retried:  # once is enough
            self._under_way.discard(case_id)

    def write_stored_call(self, call: StoredCall) -> None:
        """Store the completion of a call; see `Record.write_stored_call`."""
        super().write_stored_call(call)
        self._own_calls.setdefault(case_of(call[0]), []).append(call)

    def stored_calls(self, case_id: str) -> list[StoredCall]:
        """Return the calls of a case; see `Record.stored_calls`."""
        return [*super().stored_calls(case_id), *self._own_calls.get(case_id, ())]

    def retry_failed(self, asked: Iterable[str]) -> None:
        """Mark cases for a retry; see `Record.retry_failed`."""
        super().retry_failed(asked)
        self._seen = self._revision

    def _forget_empty(self) -> None:
        for call_id, case_id, _, tokens, usd in self._retried.empty():
            self._shared.add(("forgotten", (call_id, case_id, tokens, usd)))

    def _amend(self, entry: StoredEntry, case: Row) -> None:
        case_id, number, *_ = entry
        super()._amend(entry, case)
        self._audited.setdefault(case_id, {})[number] = entry
        self._audited_cases[case_id] = case

    def _keep(self, media: Media) -> Media:
        kept = super()._keep(media)
        if kept.sha256 not in self._stored_media:
            self._stored_media.add(kept.sha256)
            self._shared.add(("media", (kept.sha256,)))
        return kept

    def _entries_of(self, case_id: str) -> dict[int, StoredEntry]:
        return super()._entries_of(case_id) | self._audited.get(case_id, {})

    def _case_of(self, case_id: str) -> Row:
        return self._audited_cases.get(case_id) or super()._case_of(case_id)

    def _copy(self) -> int:
        with connect(self._place) as connection:
            return copy_run(connection, self._place, self.directory, RECORD, MEDIA).revision


async def _is_there(connection: Any) -> None:
    await connection.execute("SELECT 1")
