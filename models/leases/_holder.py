"""What a worker leases: it reports, is granted shares, and asks ahead for more."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from ...common import BudgetError, SafejuryError, first_failure
from ..middleware import Ledger, PlaceLimits
from ._budget import LeasedBudget
from ._limiter import LeasedLimiter
from ._messages import BRISK_S, STEADY_S, LeaseGrant, LeaseReport, PlaceGrant

EXPIRES_S = 20.0
"""Seconds after a report without a grant after which a worker starts no more calls."""

Exchange = Callable[[LeaseReport], Awaitable[LeaseGrant]]
"""Sends a report to the book of leases, wherever it is kept, and returns its grant."""


class Leaseholder:
    """The leases of one worker: a limiter for each place, and a budget.

    It reports twice a second, and at once where a share is low, a place rejects calls, or a
    call waits. A worker whose book does not answer starts no more calls after 20 seconds,
    before anybody may take it for dead and give away what it holds.

    Args:
        worker: Its name, which no worker had before.
        exchange: Sends a report to the book, which is `LeaseBook.renew`, and returns its grant.
            If it fails, so does what is done meanwhile.
        expires: Seconds without a grant after which no call is started.

    Attributes:
        renewals: Reports so far.
    """

    def __init__(self, worker: str, exchange: Exchange, *, expires: float = EXPIRES_S) -> None:
        self._worker = worker
        self._exchange = exchange
        self._expires = expires
        self._limiters: dict[str, LeasedLimiter] = {}
        self._budget = LeasedBudget(None, None, self.ask)
        self._asked = asyncio.Event()
        self._turn = asyncio.Lock()
        self._renew_in, self._apart = STEADY_S, BRISK_S
        self.renewals = 0

    @asynccontextmanager
    async def renewed(self) -> AsyncGenerator[None]:
        """Keep the leases renewed within the block, and give all back at its end."""
        try:
            async with first_failure(), asyncio.TaskGroup() as group:
                keeping = group.create_task(self._keep_renewed())
                try:
                    yield
                finally:
                    keeping.cancel()
        finally:
            await self._leave()

    def limiter(self, place: str, limits: PlaceLimits) -> LeasedLimiter:
        """Return the limiter of a place, which has a share after the next `renew`.

        Args:
            place: Its name.
            limits: Its limits, for all workers together.
        """
        if place not in self._limiters:
            self._limiters[place] = LeasedLimiter(limits, self.ask)
            self.ask()
        return self._limiters[place]

    def budget(
        self,
        max_tokens_total: int | None,
        max_cost_usd: float | None,
        *,
        keep: Ledger | None = None,
        refusal: type[SafejuryError] = BudgetError,
    ) -> LeasedBudget:
        """Return the worker's budget; see `LeasedBudget`."""
        self._budget = LeasedBudget(
            max_tokens_total, max_cost_usd, self.ask, keep=keep, refusal=refusal
        )
        return self._budget

    @property
    def waited(self) -> int:
        """Calls that had to wait, for a slot, a permit or a part of the budget."""
        return self._budget.waited + sum(each.waited for each in self._limiters.values())

    def ask(self) -> None:
        """Renew as soon as possible."""
        self._asked.set()

    async def renew(self) -> None:
        """Report now, and take what is granted."""
        async with self._turn:
            self._asked.clear()
            places = {name: limiter.report() for name, limiter in self._limiters.items()}
            report = LeaseReport(self._worker, places, self._budget.report())
            loop = asyncio.get_running_loop()
            expiry = loop.call_later(self._expires, self._suspend)
            try:
                grant = await self._exchange(report)
            finally:
                expiry.cancel()
            self.renewals += 1
            for name in places:
                self._limiters[name].accept(grant.places.get(name, PlaceGrant()))
            self._budget.accept(grant.budget)
            self._renew_in, self._apart = grant.renew_in, grant.apart

    async def _keep_renewed(self) -> None:
        while True:
            await self.renew()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._renew_in):
                    await self._asked.wait()
                    # What several calls ask for at a time goes into one report.
                    await asyncio.sleep(self._apart)

    def _suspend(self) -> None:
        for limiter in self._limiters.values():
            limiter.suspend()
        self._budget.suspend()

    async def _leave(self) -> None:
        """Give all back, if there is still anybody to take it."""
        report = LeaseReport(self._worker, {}, self._budget.report(), leaves=True)
        with suppress(Exception):
            await self._exchange(report)
