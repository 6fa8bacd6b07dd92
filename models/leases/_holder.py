"""What a worker leases: it reports, is granted shares, and asks ahead for more."""

import asyncio
from collections.abc import Callable

from ...common import BudgetError, SafejuryError
from ..middleware import Ledger, PlaceLimits
from ._budget import LeasedBudget
from ._limiter import LeasedLimiter
from ._messages import BRISK_S, LeaseGrant, LeaseReport, PlaceGrant

EXPIRES_S = 20.0
"""Seconds after a report without a grant after which a worker starts no more calls."""


class Leaseholder:
    """The leases of one worker: a limiter for each place, and a budget.

    Whoever runs the worker sends each `report` to the book of leases and lets the worker
    `accept` what `LeaseBook.renew` returns, one after the other: when `due_in` is over, and
    more often where it likes. A worker whose book does not answer starts no more calls after
    20 seconds, before anybody may take it for dead and give away what it holds.

    Args:
        worker: Its name, which no worker had before.
        ask: Called when `due_in` has become shorter.
        expires: Seconds without a grant after which no call is started.
    """

    def __init__(self, worker: str, ask: Callable[[], None], *, expires: float = EXPIRES_S) -> None:
        self._worker = worker
        self._tell = ask
        self._expires = expires
        self._limiters: dict[str, LeasedLimiter] = {}
        self._budget = LeasedBudget(None, None, self._ask)
        self._is_asked = False
        self._renewed_at = float("-inf")
        self._renew_in = self._apart = BRISK_S
        self._expiry: asyncio.TimerHandle | None = None

    def limiter(self, place: str, limits: PlaceLimits) -> LeasedLimiter:
        """Return the limiter of a place, which has a share after the next grant.

        Args:
            place: Its name.
            limits: Its limits, for all workers together.
        """
        if place not in self._limiters:
            self._limiters[place] = LeasedLimiter(limits, self._ask)
            self._ask()
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
            max_tokens_total, max_cost_usd, self._ask, keep=keep, refusal=refusal
        )
        return self._budget

    @property
    def waited(self) -> int:
        """Calls that had to wait, for a slot, a permit or a part of the budget."""
        return self._budget.waited + sum(each.waited for each in self._limiters.values())

    @property
    def due_in(self) -> float:
        """Seconds until it should report, at least 0."""
        # What several calls ask for at a time goes into one report.
        wait = self._apart if self._is_asked else self._renew_in
        return max(0.0, self._renewed_at + wait - asyncio.get_running_loop().time())

    def report(self) -> LeaseReport:
        """Return what it holds and needs; `accept` is to follow before the next report."""
        self._is_asked = False
        loop = asyncio.get_running_loop()
        if self._expiry is None:
            self._expiry = loop.call_later(self._expires, self._suspend)
        self._renewed_at = loop.time()
        places = {name: limiter.report() for name, limiter in self._limiters.items()}
        return LeaseReport(self._worker, places, self._budget.report())

    def accept(self, grant: LeaseGrant) -> None:
        """Go on with what was granted."""
        self._renew_in, self._apart = grant.renew_in, grant.apart
        for name, limiter in self._limiters.items():
            limiter.accept(grant.places.get(name, PlaceGrant()))
        self._budget.accept(grant.budget)
        self.close()

    def close(self) -> None:
        """Wait for no grant any more."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    def _ask(self) -> None:
        if not self._is_asked:
            self._is_asked = True
            self._tell()

    def _suspend(self) -> None:
        for limiter in self._limiters.values():
            limiter.suspend()
        self._budget.suspend()
