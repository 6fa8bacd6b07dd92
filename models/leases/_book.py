"""The book of what workers hold of a run's limits and budget; the driver keeps it."""

import time
from collections.abc import Callable, Mapping

from ..chat import Charge
from ..middleware import PlaceLimits
from ._lending import LendingBudget
from ._messages import BRISK_S, STEADY_S, BudgetGrant, LeaseGrant, LeaseReport, PlaceGrant
from ._shares import PlaceShares

_NOTHING = Charge(0, 0.0)
_MOST_REPORTS = 200
"""A second, of all workers together: more would keep the driver busy."""


class LeaseBook:
    """Leases to workers their shares of the limits of places, and of the budget.

    Each worker reports what it holds and needs, and is granted what it may take; it asks
    ahead, so that its calls find what they need. What a worker holds is its own until it
    reports that it gave it back, or is dropped: so no sum exceeds its limit, however late
    or rarely workers report. Who keeps the book drops each worker that died.

    Args:
        limits: The limits of a place, for all workers together.
        places: Limits of places that have their own, by name.
        budget: The budget of all.
        clock: Seconds on a clock that never goes back; replaced in tests.

    Attributes:
        budget: The budget of all.
    """

    def __init__(
        self,
        limits: PlaceLimits,
        places: Mapping[str, PlaceLimits] | None = None,
        budget: LendingBudget | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._own_limits = places or {}
        self.budget = budget or LendingBudget()
        self._clock = clock
        self._places: dict[str, PlaceShares] = {}
        self._workers = set[str]()
        self._dropped = set[str]()

    @property
    def places(self) -> Mapping[str, PlaceShares]:
        """The shares in each place that a worker named, for displays."""
        return self._places

    def renew(self, report: LeaseReport) -> LeaseGrant:
        """Book what a worker reports, and return what it may take until its next report.

        A worker that was dropped may take nothing: another may hold what it held.

        Args:
            report: What it holds and needs.
        """
        worker = report.worker
        if worker in self._dropped:
            return LeaseGrant(budget=BudgetGrant(stopped=self.budget.stopped))
        self._workers.add(worker)
        budget = self.budget.renew_lease(worker, report.budget)
        now, places, renew_in = self._clock(), dict[str, PlaceGrant](), list[float]()
        for name, place in report.places.items():
            places[name], soon = self._shares(name).renew(worker, place, now)
            renew_in.append(soon)
        if self.budget.is_wanted:
            renew_in.append(BRISK_S)
        apart = max(BRISK_S, len(self._workers) / _MOST_REPORTS)
        return LeaseGrant(places, budget, max(apart, min(renew_in, default=STEADY_S)), apart)

    def drop(self, worker: str, charged: Charge = _NOTHING, *, unpriced: int = 0) -> None:
        """Take back all that a worker holds; its name is never used again.

        Args:
            worker: The worker, which makes no more calls.
            charged: What calls are charged by estimate that it had under way.
            unpriced: Those of them whose price is unknown.
        """
        if worker in self._dropped:
            return
        self._dropped.add(worker)
        self._workers.discard(worker)
        now = self._clock()
        for place in self._places.values():
            place.drop(worker, now)
        self.budget.end_lease(worker, charged, unpriced=unpriced)

    def _shares(self, name: str) -> PlaceShares:
        if name not in self._places:
            self._places[name] = PlaceShares(self._own_limits.get(name, self._limits))
        return self._places[name]
