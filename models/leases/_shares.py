"""The shares of all workers in the calls at a time that one place allows."""

from dataclasses import dataclass

from ..middleware import MOST_AT_FIRST, PlaceLimits
from ._messages import BRISK_S, STEADY_S, PlaceGrant, PlaceReport
from ._pace import Pace

_TURN_S = 1.0
"""Seconds for which a worker keeps its only slot while others wait for one."""
_RARE_S = 5.0
"""The most seconds between two looks for a permit."""


@dataclass(slots=True)
class _Holder:
    """A worker's share, as it reported last.

    Attributes:
        holds: Calls that it may have under way until its next report.
        calls: Calls under way, and those that wait.
        told: The share that it was granted.
        since: When it got its share, or lost it, last: from none to some, or back.
    """

    holds: int = 0
    calls: int = 0
    told: int = 0
    since: float = 0.0


class PlaceShares:
    """Divides the calls that one place allows among workers, by what they need.

    The limit adapts to the place as that of a single process does; see `Limiter`. What
    workers hold never exceeds it together, but for calls that were under way when it was
    cut: a share that shrinks is free for others once its worker has reported that it took
    it. A worker needs its calls under way and those that wait. If all needs fit, what is left
    is divided evenly, so that calls find a slot without asking. Otherwise small needs are met
    first. If there are fewer slots than workers that wait, they take turns.

    Args:
        limits: The limits of the place.
    """

    def __init__(self, limits: PlaceLimits) -> None:
        self._max = limits.concurrency
        self._limit = float(min(self._max, MOST_AT_FIRST))
        self._slow_start = True
        self._cuts = 0
        self._paused_until = 0.0
        self._holders: dict[str, _Holder] = {}
        rate = limits.requests_per_minute
        self._pace = None if rate is None else Pace(rate)

    @property
    def limit(self) -> int:
        """The current limit of concurrent calls of all workers together."""
        return int(self._limit)

    @property
    def held(self) -> int:
        """The most calls that all workers may have under way now."""
        return sum(holder.holds for holder in self._holders.values())

    def renew(self, worker: str, report: PlaceReport, now: float) -> tuple[PlaceGrant, float]:
        """Book what a worker reports, and return its share and when it should report again.

        Args:
            worker: The worker.
            report: What it holds and needs.
            now: The time on the clock of the book.
        """
        holder = self._holders.setdefault(worker, _Holder(since=now))
        had, told = holder.holds, holder.told
        holder.holds, holder.calls = report.holds, report.calls
        self._paused_until = max(self._paused_until, now + report.paused_for)
        self._adapt(report)
        share = goal = self._share(holder, now)
        if share > holder.holds:
            share = min(share, holder.holds + max(0, self.limit - self.held))
            holder.holds = max(holder.holds, share)
        holder.told = share
        if bool(had) != bool(holder.holds):
            holder.since = now
        paused = max(0.0, self._paused_until - now)
        permits, look_in = self._permits(worker, report, now)
        grant = PlaceGrant(share, self._cuts, not self._slow_start, paused, permits)
        gives_back = share < min(told, holder.holds) and self._is_any_short()
        gets_more = share < goal and self._is_short(holder)
        moves = gives_back or gets_more or self._somebody_starves()
        return grant, min(look_in, BRISK_S if moves else STEADY_S)

    def drop(self, worker: str, now: float) -> None:
        """Take back the share of a worker that makes no more calls."""
        self._holders.pop(worker, None)
        if self._pace is not None:
            self._pace.drop(worker, now)

    def _permits(
        self, worker: str, report: PlaceReport, now: float
    ) -> tuple[tuple[float, ...], float]:
        if self._pace is None:
            return (), STEADY_S
        given = self._pace.permits(
            worker, now, started=report.started, permits=report.permits, wanted=report.wanted
        )
        if given or report.wanted <= report.permits:
            return given, STEADY_S
        return given, min(_RARE_S, max(BRISK_S, self._pace.wait(worker, now)))

    def _adapt(self, report: PlaceReport) -> None:
        if report.cuts != self._cuts:  # of calls before the latest cut, which had another limit
            return
        if report.cut:
            self._slow_start = False
            self._cuts += 1
            self._limit = max(1.0, float(self.limit // 2))
        elif report.grown and self._needed() >= self.limit:
            # As each of the successes would have grown it, one after the other.
            for _ in range(report.grown):
                self._limit += 2.0 if self._slow_start else 1.0 / self._limit
            self._limit = min(float(self._max), self._limit)

    def _needed(self) -> int:
        return sum(holder.calls for holder in self._holders.values())

    def _is_short(self, holder: _Holder) -> bool:
        """Whether a worker holds less than it needs and half its part of what is left."""
        part = max(0, self.limit - self._needed()) // len(self._holders)
        return holder.holds < holder.calls + part // 2

    def _is_any_short(self) -> bool:
        return any(self._is_short(each) for each in self._holders.values())

    def _somebody_starves(self) -> bool:
        return any(each.calls and not each.holds for each in self._holders.values())

    def _share(self, holder: _Holder, now: float) -> int:
        """Return the calls at a time that a worker should have."""
        holders = list(self._holders.values())
        spare = self.limit - self._needed()
        if spare >= 0:
            part, rest = divmod(spare, len(holders))
            return holder.calls + part + (holders.index(holder) < rest)
        left, waiting = self.limit, sorted(holders, key=lambda each: each.calls)
        for number, each in enumerate(waiting):
            part, rest = divmod(left, len(waiting) - number)
            if each.calls > part:
                return self._part(holder, waiting[number:], part, rest, now)
            if each is holder:
                return each.calls
            left -= each.calls
        raise AssertionError("calls exceed the limit, but none exceeds its part")

    def _part(
        self, holder: _Holder, waiting: list[_Holder], part: int, rest: int, now: float
    ) -> int:
        """Return the share of one of the workers that need more than an equal part."""
        if part:
            # Who has the odd slots keeps them.
            first = sorted(waiting, key=lambda each: each.holds, reverse=True)
        else:
            first = sorted(waiting, key=lambda each: _turn(each, now))
        return part + (first.index(holder) < rest)


def _turn(holder: _Holder, now: float) -> tuple[int, float]:
    """Return a worker's place in the line for slots of which there are too few."""
    if not holder.holds:
        return 1, holder.since
    return (0 if now - holder.since < _TURN_S else 2), holder.since
