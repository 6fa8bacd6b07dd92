"""Limits concurrent calls and calls per minute to an endpoint."""

import asyncio
from collections import deque
from contextlib import suppress
from types import TracebackType

from asyncio_throttle.throttler import Throttler

from ...common import ModelError, RateLimitError
from ..chat import ChatModel, ChatRequest, Completion
from ._middleware import Middleware

MOST_AT_FIRST = 256
"""Calls at a time before an endpoint has shown that it takes more: it rejects no more at once.
A config asks for 32 unless it says otherwise."""
_LONGEST_PAUSE_S = 120.0
_PERIOD_S = 0.1


class Limiter:
    """Limits the calls to one endpoint; all its models share one limiter.

    The number of calls at a time adapts: it starts at `max_concurrency` or 256,
    grows fast until the first sign of trouble, then by one for each window of
    successes, and is halved when the endpoint rejects a call with 429 or lets it
    time out, at most once per round trip. `Retry-After` pauses the whole endpoint.
    Callers are served in the order they came.

    Args:
        max_concurrency: Most calls at a time, at least 1.
        requests_per_minute: Most calls started a minute, spread evenly; None for
            no such bound.

    Raises:
        ValueError: An argument is below 1.
    """

    def __init__(self, max_concurrency: int, requests_per_minute: int | None = None) -> None:
        if max_concurrency < 1 or (requests_per_minute is not None and requests_per_minute < 1):
            raise ValueError("max_concurrency and requests_per_minute must be at least 1")
        self._max = max_concurrency
        self._limit = float(min(max_concurrency, MOST_AT_FIRST))
        self._slow_start = True
        self._in_flight = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._paused_until = 0.0
        self._resume: asyncio.TimerHandle | None = None
        self._cuts = 0
        self._throttled = 0
        self._throttler = _throttler(requests_per_minute)
        self._is_paced = self._throttler is not None
        # The throttler polls, so one caller at a time asks it; a lock serves the
        # others in order and costs nothing while they wait.
        self._turn = asyncio.Lock()

    @property
    def limit(self) -> int:
        """The current limit of concurrent calls."""
        return int(self._limit)

    @property
    def is_slowed(self) -> bool:
        """Whether errors of the endpoint keep the limit below its maximum."""
        return not self._slow_start and self.limit < self._max

    @property
    def in_flight(self) -> int:
        """The number of calls that hold a slot."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """The number of calls that wait for a slot."""
        return len(self._waiters)

    @property
    def throttled(self) -> int:
        """The number of calls that hold a slot and wait for the rate limit."""
        return self._throttled

    @property
    def paused_for(self) -> float:
        """Remaining seconds of the pause that the endpoint asked for, 0 if there is none."""
        return max(0.0, self._pause_left())

    def slot(self) -> "Slot":
        """Hold a slot for one call, and adapt the limit to how the call ends."""
        return Slot(self)

    async def take(self) -> int:
        """Wait for a slot; return the number of times that the limit was cut so far."""
        if self._waiters or self._in_flight >= self.limit or self._paused_until:
            await self._acquire()
        else:
            self._in_flight += 1
        if not self._is_paced and not self._paused_until:
            return self._cuts
        try:
            if self._is_paced:
                await self._take_turn()
            # A pause that began while this caller stood in line holds for it too.
            await self._pause_ended()
        except BaseException:
            self._leave()
            raise
        return self._cuts

    def give_back(self, error: BaseException | None, cuts: int) -> None:
        """Give a slot back, and adapt the limit.

        Args:
            error: How the call failed, None if it did not.
            cuts: What `take` returned.
        """
        if error is None:
            self._succeeded()
        elif isinstance(error, ModelError):
            self._failed(error, cuts)
        self._leave()

    def _leave(self) -> None:
        self._in_flight -= 1
        self._wake()

    def pause(self, seconds: float) -> None:
        """Start no call for so many seconds; a longer pause that was asked for stays."""
        until = asyncio.get_running_loop().time() + seconds
        self._paused_until = max(self._paused_until, until)

    def _set_limit(self, limit: float) -> None:
        self._limit = limit
        self._wake()

    async def _take_turn(self) -> None:
        """Wait for the rate limit, in the order of callers."""
        self._throttled += 1
        try:
            async with self._turn:
                # Or those that were permitted during a pause would all start at its end.
                await self._pause_ended()
                await self._permitted()
        finally:
            self._throttled -= 1

    async def _permitted(self) -> None:
        if self._throttler is not None:
            await self._throttler.acquire()

    async def _pause_ended(self) -> None:
        while (wait := self._pause_left()) > 0:  # noqa: ASYNC110 - until a known time
            await asyncio.sleep(wait)

    def _pause_left(self) -> float:
        if not self._paused_until:
            return 0.0
        return self._paused_until - asyncio.get_running_loop().time()

    async def _acquire(self) -> None:
        if not self._waiters and self._in_flight < self.limit and self._pause_left() <= 0:
            self._in_flight += 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._wake()
        taken = False
        try:
            await waiter
            taken = True
        finally:
            if not taken:
                self._abandon(waiter)

    def _abandon(self, waiter: asyncio.Future[None]) -> None:
        """Clean up after a caller that was canceled while waiting."""
        if waiter.cancelled():
            with suppress(ValueError):  # `_wake` may have dropped it already
                self._waiters.remove(waiter)
        else:
            self._in_flight -= 1
            self._wake()

    def _wake(self) -> None:
        """Hand free slots to waiting calls; a slot counts as taken when it is handed over."""
        if not self._waiters or self._resume is not None:
            return
        if (wait := self._pause_left()) > 0:
            loop = asyncio.get_running_loop()
            self._resume = loop.call_later(wait, self._end_pause)
            return
        while self._waiters and self._in_flight < self.limit:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._in_flight += 1
                waiter.set_result(None)

    def _end_pause(self) -> None:
        self._resume = None
        self._wake()

    def _succeeded(self) -> None:
        # Only a limit that is in use says anything about the endpoint.
        if self._in_flight < self.limit:
            return
        grown = 2.0 if self._slow_start else 1.0 / self._limit
        self._limit = min(float(self._max), self._limit + grown)

    def _failed(self, error: ModelError, cuts: int) -> None:
        if error.retry_after is not None and error.retry_after <= _LONGEST_PAUSE_S:
            self.pause(error.retry_after)
        if not (isinstance(error, RateLimitError) or timed_out(error)):
            return
        self._slow_start = False
        # Calls sent before the last cut tell of the load before it.
        if cuts == self._cuts:
            self._cut()

    def _cut(self) -> None:
        self._cuts += 1
        self._limit = max(1.0, float(self.limit // 2))


class Slot:
    """A slot of a limiter, held within an `async with`."""

    __slots__ = ("_cuts", "_limiter")

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._cuts = 0

    async def __aenter__(self) -> None:
        self._cuts = await self._limiter.take()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._limiter.give_back(error, self._cuts)


def timed_out(error: ModelError) -> bool:
    """Return whether a call failed by a timeout."""
    return error.status in (408, 504) or isinstance(error.__cause__, TimeoutError)


def _throttler(requests_per_minute: int | None) -> Throttler | None:
    if requests_per_minute is None:
        return None
    per_second = requests_per_minute / 60
    permits = max(1, round(per_second * _PERIOD_S))
    period = permits / per_second
    return Throttler(permits, period, retry_interval=min(0.05, max(0.001, period / 100)))


class Limited(Middleware):
    """A chat model whose calls pass a limiter."""

    def __init__(self, model: ChatModel, limiter: Limiter) -> None:
        super().__init__(model)
        self._limiter = limiter

    async def complete(self, request: ChatRequest) -> Completion:
        """Wait for a slot, then call the model; errors are the model's."""
        cuts = await self._limiter.take()
        try:
            completion = await self._model.complete(request)
        except BaseException as error:
            self._limiter.give_back(error, cuts)
            raise
        self._limiter.give_back(None, cuts)
        return completion
