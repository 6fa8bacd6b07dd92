"""A worker's limiter of one place, within the share that it was granted."""

import asyncio
from collections import deque
from collections.abc import Callable
from math import ceil

from ..middleware import Limiter, PlaceLimits
from ._messages import BRISK_S, STEADY_S, PlaceGrant, PlaceReport

_STALE_S = 2.0
"""Seconds after which a permit that was not used goes back: together they would be a burst."""


class LeasedLimiter(Limiter):
    """Limits a worker's calls to one place to its share of what all workers may take.

    It grows and is cut by the book of shares. A call of its own that the place rejects
    halves its share at once, before the book knows of it.

    Args:
        limits: The limits of the place, for all workers together.
        ask: Called when it needs a share sooner than the next renewal.

    Attributes:
        waited: Calls that had to wait for a slot or a permit.
    """

    def __init__(self, limits: PlaceLimits, ask: Callable[[], None]) -> None:
        super().__init__(limits.concurrency)
        self._limit = 0.0  # until it is granted a share
        self._ask = ask
        self._grown = 0
        self._is_cut = False
        self._asked_pause = 0.0
        self._told_cuts = self._cut_at = 0
        self._is_paced = limits.requests_per_minute is not None
        self._permits = deque[float]()
        self._more = asyncio.Event()
        self._started = 0
        self._per_second = 0.0
        self._reported_at = float("-inf")
        self.waited = 0

    def report(self) -> PlaceReport:
        """Return what it holds and needs; counts begin again."""
        needed = self._give_back_permits()
        report = PlaceReport(
            holds=max(self.limit, self._in_flight),
            calls=self._in_flight + self.waiting,
            grown=self._grown,
            cut=self._is_cut,
            cuts=self._cut_at if self._is_cut else self._told_cuts,
            paused_for=self._asked_pause,
            started=self._started,
            permits=len(self._permits),
            wanted=needed,
        )
        self._started = 0
        self._grown, self._is_cut, self._asked_pause = 0, False, 0.0
        return report

    def pause(self, seconds: float) -> None:
        """Start no call for so many seconds, nor let other workers start one."""
        super().pause(seconds)
        self._asked_pause = max(self._asked_pause, seconds)
        self._ask()

    def accept(self, grant: PlaceGrant) -> None:
        """Go on with another share."""
        if grant.cuts > self._told_cuts:
            self._told_cuts = grant.cuts
            self._cuts += 1  # calls sent before tell of the load before it
        self._slow_start = not grant.slowed
        if grant.paused_for > 0:
            super().pause(grant.paused_for)
        now = asyncio.get_running_loop().time()
        self._permits += (now + seconds for seconds in grant.permits)
        if self._permits:
            self._more.set()
        # A cut of our own that the book does not know of yet holds meanwhile.
        share = min(grant.share, self.limit) if self._is_cut else grant.share
        self._set_limit(float(share))

    def suspend(self) -> None:
        """Start no more calls until the next share."""
        self._limit = 0.0
        self._permits.clear()

    async def _acquire(self) -> None:
        if self._in_flight >= self.limit:
            self.waited += 1
            if not self._waiters:
                self._ask()
        await super()._acquire()

    async def _permitted(self) -> None:
        loop, waited = asyncio.get_running_loop(), False
        while True:
            if not self._permits:
                waited = True
                self._more.clear()
                self._ask()
                await self._more.wait()
            elif (wait := self._permits[0] - loop.time()) > 0:
                waited = True
                await asyncio.sleep(wait)
            elif self._pause_left() > 0:
                await self._pause_ended()
            else:
                break
        self._permits.popleft()
        self._started += 1
        self.waited += waited
        if len(self._permits) <= self._started:  # half of them are used
            self._ask()

    def _give_back_permits(self) -> int:
        """Drop permits that are not needed, and return how many are."""
        if not self._is_paced:
            return 0
        now = asyncio.get_running_loop().time()
        seconds = max(BRISK_S, now - self._reported_at)
        self._reported_at = now
        # Falls slowly, as calls come in bursts.
        self._per_second = max(self._started / seconds, 0.8 * self._per_second)
        needed = self._throttled + ceil(2 * STEADY_S * self._per_second)
        stale = now - _STALE_S
        while self._permits and self._permits[0] < stale:
            self._permits.popleft()
        while len(self._permits) > needed:
            self._permits.pop()
        return needed

    def _succeeded(self) -> None:
        if self._in_flight >= self.limit:
            self._grown += 1

    def _cut(self) -> None:
        super()._cut()
        self._is_cut, self._cut_at = True, self._told_cuts
        self._ask()
