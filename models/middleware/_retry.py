"""Retries transient failures, and stops early on permanent ones."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Generic, TypeVar

from ...common import BadReplyError, FirstContactError, ModelError, TransportError
from ..chat import ChatModel, ChatRequest, Completion
from ._breaker import Breaker
from ._limits import timed_out
from ._middleware import Middleware
from ._place import Delays

T = TypeVar("T")

_log = logging.getLogger(__name__)
_QUICK_ATTEMPTS = 3
_QUICK_DELAY_S = 0.5
_DOUBTFUL_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long to retry.

    Attributes:
        attempts: Most calls for one request, the first included; at least 1.
        base_delay: Seconds; the first wait is drawn from 0 to this, each further
            one from 0 to twice as much (full jitter).
        max_delay: Longest wait in seconds that is drawn; a provider's own
            `Retry-After` may be longer.
        max_total: Most seconds spent waiting between the calls of one request.
    """

    attempts: int = 5
    base_delay: float = 0.5
    max_delay: float = 30.0
    max_total: float = 120.0


@dataclass(frozen=True, slots=True)
class RetryResult(Generic[T]):
    """The final result of a retried call.

    Attributes:
        value: The value that the call returned.
        failed: The number of failed calls before.
        lost_s: Seconds spent on these calls and on waiting.
    """

    value: T
    failed: int
    lost_s: float


class Retries:
    """Makes calls to one place, with retries after transport errors, 408, 409, 429 and 5xx.

    After an unreadable reply or a timeout there is only one retry. If nothing has ever
    listened at the address, there are two quick retries, so that a mistyped address fails
    within seconds.

    Args:
        policy: How often and how long to retry.
        delays: Where waiting calls are registered, for displays.
        sleep: Waits for seconds; replaced in tests.
        random: Draws from [0, 1); replaced in tests.
    """

    def __init__(
        self,
        policy: RetryPolicy | None = None,
        *,
        delays: Delays | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        random: Callable[[], float] | None = None,
    ) -> None:
        self._policy = policy or RetryPolicy()
        self._delays = delays or Delays()
        self._sleep = sleep
        self._random = random or Random().random
        self._reached = False

    async def run(self, call: Callable[[], Awaitable[T]]) -> RetryResult[T]:
        """Retry a call until it succeeds, and return its result.

        Raises:
            ModelError: The last call's error, once retrying is useless.
        """
        started = time.perf_counter()
        failed, waited = 0, 0.0
        while True:
            attempt_started = time.perf_counter()
            try:
                value = await call()
            except ModelError as error:
                self._reached = self._reached or error.status is not None
                failed += 1
                delay = self._delay(error, failed, waited)
                if delay is None:
                    raise
                waited += delay
                # Not its message, which may quote what was asked.
                what = error.status or type(error).__name__
                _log.info("retry %d in %.1f s after %s", failed, delay, what)
                with self._delays.entered(error, asyncio.get_running_loop().time() + delay):
                    await self._sleep(delay)
                continue
            self._reached = True
            return RetryResult(value, failed, attempt_started - started if failed else 0.0)

    def _delay(self, error: ModelError, failed: int, waited: float) -> float | None:
        """Return the seconds to wait before the next try, None to give up."""
        policy = self._policy
        longest = min(policy.max_delay, policy.base_delay * 2 ** (failed - 1))
        attempts = policy.attempts
        if isinstance(error, BadReplyError) or timed_out(error):
            attempts = min(attempts, _DOUBTFUL_ATTEMPTS)
        elif not error.retryable:
            return None
        if error.permanent and not self._reached:
            attempts, longest = min(attempts, _QUICK_ATTEMPTS), min(longest, _QUICK_DELAY_S)
        if failed >= attempts:
            return None
        delay = longest * self._random()
        if error.retry_after is not None:
            # A little later than asked, so that not all come back at one moment.
            delay += error.retry_after
        return delay if waited + delay <= policy.max_total else None


class Retrying(Middleware):
    """A chat model with retries after transient failures; see `Retries`.

    A refusal or a filtered reply is a completion and is never tried again.

    Args:
        model: What to call.
        policy: How often and how long to retry.
        delays: Where waiting calls are registered, for displays.
        sleep: Waits for seconds; replaced in tests.
        random: Draws from [0, 1); replaced in tests.
    """

    def __init__(
        self,
        model: ChatModel,
        policy: RetryPolicy | None = None,
        *,
        delays: Delays | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        random: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(model)
        self._retries = Retries(policy, delays=delays, sleep=sleep, random=random)

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the first reply; its `attempts` and `latency_s` cover all tries.

        Raises:
            ModelError: The last call's error, once retrying is useless.
        """
        tried = await self._retries.run(partial(self._model.complete, request))
        completion = tried.value
        if not tried.failed:
            return completion
        return replace(
            completion,
            attempts=completion.attempts + tried.failed,
            latency_s=completion.latency_s + tried.lost_s,
        )


class FirstContact(Middleware):
    """A chat model whose first failure ends the run if only the user can fix it.

    Until the model has answered once, a wrong key, path or name, an address where nothing
    listens, a timeout, or a reply that is not a completion becomes a `FirstContactError`;
    afterwards errors pass unchanged. So a typo costs seconds, not a run of thousands of
    recorded failures. A server's error reply is confirmed by one more call before it ends a
    run. Wrap it around `Retrying`.

    Args:
        model: What to call.
        breaker: Knows whether another model answered at the same address, so that the
            address is right; None if unknown.
        has_answered: Whether the model has answered before.
    """

    def __init__(
        self, model: ChatModel, breaker: Breaker | None = None, *, has_answered: bool = False
    ) -> None:
        super().__init__(model)
        self._breaker = breaker
        self._answered = has_answered
        self._asking_again = asyncio.Lock()
        self._given_up = 0

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply.

        Raises:
            FirstContactError: It never answered, and waiting won't help.
            ModelError: The call failed otherwise.
        """
        try:
            return await self._ask(request)
        except ModelError as error:
            if not self._is_suspect(error):
                raise
            first = error
        if _unreached(first):
            raise self._final(first) from first
        # One bad reply says little. One call asks again, for all that failed meanwhile.
        given_up = self._given_up
        async with self._asking_again:
            if self._given_up > given_up:
                raise self._final(first) from first
            try:
                return await self._ask(request)
            except ModelError as error:
                if not self._is_suspect(error):
                    raise
                self._given_up += 1
                raise self._final(error) from error

    async def _ask(self, request: ChatRequest) -> Completion:
        completion = await self._model.complete(request)
        self._answered = True
        return completion

    def _is_suspect(self, error: ModelError) -> bool:
        if self._answered or not is_hopeless(error):
            return False
        known = self._breaker is not None and self._breaker.has_answered()
        return not (known and _unreached(error))  # else it is down, and calls wait

    def _final(self, error: ModelError) -> FirstContactError:
        text, name = str(error), self._model.name
        return FirstContactError(text if name in text else f"{name}: {text}")


def _unreached(error: ModelError) -> bool:
    """Return whether several tries to connect failed."""
    return isinstance(error, TransportError) and error.permanent


def is_hopeless(error: ModelError) -> bool:
    """Return whether a place that never answered is unlikely to after this error."""
    if error.permanent or isinstance(error, BadReplyError):
        return True
    return isinstance(error, TransportError) and error.status is None
