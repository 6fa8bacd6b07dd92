"""Permits to start calls, of which all workers together get no more a minute than a limit."""

from collections import deque
from dataclasses import dataclass

_WINDOW_S = 60.0
_HORIZON_S = 1.0
"""Seconds ahead for which permits are given out."""
_ABSENT_S = 3.0
"""Seconds after its latest report for which a worker keeps its turn."""


@dataclass(slots=True)
class _Holder:
    """A worker's permits, as it reported last.

    Attributes:
        permits: Those that it has not used.
        wants: Whether it wants more.
        heard_at: When it reported.
        served_at: When it was given a permit last.
    """

    permits: int = 0
    wants: bool = False
    heard_at: float = 0.0
    served_at: float = float("-inf")


class Pace:
    """Spreads the calls a minute that one place allows over workers.

    In any minute no more calls start than are allowed, wherever they start: a permit counts
    from when it is given out until a minute after the report that it was used, and a worker
    that is lost may have used all of its own. Permits are for times that are spread evenly.

    Args:
        requests_per_minute: Most calls a minute, at least 1.
    """

    def __init__(self, requests_per_minute: int) -> None:
        self._most = requests_per_minute
        self._interval = _WINDOW_S / requests_per_minute
        self._next = 0.0
        self._used = deque[tuple[float, int]]()  # until when, how many
        self._counted = 0
        self._holders: dict[str, _Holder] = {}

    def permits(
        self, worker: str, now: float, *, started: int, permits: int, wanted: int
    ) -> tuple[float, ...]:
        """Return new permits of a worker, by the seconds before each.

        Args:
            worker: The worker.
            now: The time on the clock of the book.
            started: Calls that it started since its last report.
            permits: Permits that it has not used.
            wanted: Permits that it may use soon.
        """
        holder = self._holders.setdefault(worker, _Holder())
        self._count(started, now)
        holder.permits, holder.heard_at = permits, now
        holder.wants = wanted > permits
        if not holder.wants:
            return ()
        given = min(wanted - permits, self._part(holder, now))
        if given <= 0:
            return ()
        holder.permits += given
        holder.served_at = now
        return tuple(self._times(given, now))

    def wait(self, worker: str, now: float) -> float:
        """Return in how many seconds a worker may get a permit that it wants now."""
        holder = self._holders[worker]
        before = sum(self._is_before(other, holder, now) for other in self._holders.values())
        return (before + 1) * self._interval

    def drop(self, worker: str, now: float) -> None:
        """Forget a worker, which may have used all that it had."""
        holder = self._holders.pop(worker, None)
        if holder is not None:
            self._count(holder.permits, now)

    def _count(self, started: int, now: float) -> None:
        if started:
            self._used.append((now + _WINDOW_S, started))
            self._counted += started

    def _part(self, holder: _Holder, now: float) -> int:
        """Return how many permits a worker may be given: its part of those for soon."""
        while self._used and self._used[0][0] <= now:
            self._counted -= self._used.popleft()[1]
        out = sum(each.permits for each in self._holders.values())
        # What was not asked for a moment ago is there now.
        self._next = max(self._next, now - _HORIZON_S / 2)
        soon = int((now + _HORIZON_S - self._next) / self._interval) + 1
        left = min(soon, self._most - self._counted - out)
        if self._next > now + _HORIZON_S or left <= 0:
            return 0
        others = [each for each in self._holders.values() if self._waits(each, now)]
        before = sum(self._is_before(each, holder, now) for each in others)
        return max(left // max(1, len(others)), int(before < left))

    def _waits(self, holder: _Holder, now: float) -> bool:
        return holder.wants and now - holder.heard_at < _ABSENT_S

    def _is_before(self, other: _Holder, holder: _Holder, now: float) -> bool:
        """Return whether it is another worker's turn first: it was served longer ago."""
        return self._waits(other, now) and other.served_at < holder.served_at

    def _times(self, number: int, now: float) -> list[float]:
        times = list[float]()
        for _ in range(number):
            times.append(max(0.0, self._next - now))
            self._next += self._interval
        return times
