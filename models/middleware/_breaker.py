"""Waits while an endpoint is down, so that its outage does not become the run's results."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from ...common import ModelError, OutageError, RateLimitError, RequestError, TransportError
from ..chat import ChatModel, ChatRequest, Completion
from ._doubts import Doubts
from ._middleware import Middleware

T = TypeVar("T")

_MOST_LOST = 5
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_MOST_OUTAGES = 3
_OF_THE_ACCOUNT = (401, 402)
"""What a reply of such a status says holds for every call with the same key."""


@dataclass(frozen=True, slots=True)
class Outage:
    """An endpoint that is waited for.

    Attributes:
        since: Time of day at which the first call was lost.
        why: The last failure, in one line.
        held: Calls that wait.
        probe_in: Seconds until the next call is let through; 0 while one is under way.
        ends_in: Seconds until it is given up, at least 0.
        what: What has been so since then, in words.
    """

    since: str
    why: str
    held: int
    probe_in: float
    ends_in: float
    what: str = "no answer"


class Breaker:
    """Holds the calls to one endpoint while it is down; whoever calls it shares one breaker.

    A call is lost when no reply came to it, or one of 5xx, after all its retries. The
    breaker opens when five calls in a row are lost, or all that are under way where nobody
    listens. While it is open, calls wait: one at a time is let through, after pauses that
    grow, and the first that is answered lets all go on. The lost calls that opened it wait
    and are made again like the others. What is lost while others are answered has failed:
    then it is the call, not the endpoint. Until either shows, a lost call is in doubt.

    Args:
        place: What the endpoint is called in errors.
        patience: Seconds that an outage may last, at least 0; then every call fails.
        doubts: Where calls in doubt are entered; unless given, those that have no others
            beside them have failed.
        has_answered: Whether the endpoint gave a sign of life before.
    """

    def __init__(
        self,
        place: str,
        patience: float,
        doubts: Doubts | None = None,
        *,
        has_answered: bool = False,
    ) -> None:
        self._place = place
        self._patience = patience
        self._doubts = doubts or Doubts()
        self._answered_before = has_answered
        self._first_pause = min(_FIRST_PAUSE_S, patience / 20)
        self._longest_pause = min(_LONGEST_PAUSE_S, patience / 4)
        self._answered = self._under_way = self._held = self._lost_from = 0
        self._begun = 0  # calls so far
        self._lost = 0  # in a row
        self._is_sure = False  # whether it is the endpoint, however few are lost
        self._latest: ModelError | None = None
        self._since = self._why = ""
        self._open = self._probing = False
        self._pause = self._probe_at = self._deadline = 0.0
        self._given_up: str | None = None
        self._changed = asyncio.Event()

    def has_answered(self) -> bool:
        """Return whether the endpoint ever gave a sign of life."""
        return self._answered_before or self._answered > 0

    @property
    def outage(self) -> Outage | None:
        """The outage that is waited for, for displays; None while all is well."""
        if not self._open or self._given_up is not None:
            return None
        now = _now()
        probe_in = 0.0 if self._probing else max(0.0, self._probe_at - now)
        ends_in = max(0.0, self._deadline - now)
        return Outage(self._since, self._why, self._held, probe_in, ends_in, self._what)

    async def of(self, call: Callable[[], Awaitable[T]], call_id: str = "") -> T:
        """Return what a call returns, made again after each outage that it met.

        Args:
            call: Makes it.
            call_id: Its id, by which others are told that it is in doubt.

        Raises:
            OutageError: The endpoint was down for longer than it is waited for.
            ModelError: The call failed at an endpoint that is up.
        """
        outages, answered_at_first = 0, 0
        while True:
            is_probe = await self._admitted()
            try:
                return await self._made(call, is_probe=is_probe)
            except ModelError as error:
                if not self._is_lost(error):
                    raise
                # What is lost again and again though others were answered meanwhile would
                # open the breaker for ever. Once more is not enough: calls that an outage
                # held go on all at once, and may well meet the next one.
                if outages >= _MOST_OUTAGES and self._answered > answered_at_first:
                    raise
                answered_at_first = answered_at_first if outages else self._answered
                if not await self._is_down(call_id):
                    raise
            outages += 1

    async def _admitted(self) -> bool:
        """Wait while the endpoint is down; return whether the call is the one let through."""
        while self._open:
            if self._given_up is not None:
                raise OutageError(self._given_up)
            wait = self._probe_at - _now()
            if not self._probing and wait <= 0:
                self._probing = True
                return True
            self._held += 1
            try:
                await self._change(None if self._probing else wait)
            finally:
                self._held -= 1
        return False

    async def _made(self, call: Callable[[], Awaitable[T]], *, is_probe: bool) -> T:
        """Make a call, and learn from how it ends."""
        self._under_way += 1
        self._begun += 1
        number = self._begun
        try:
            value = await call()
            self._answer(number)
            return value
        except ModelError as error:
            if self._is_lost(error):
                self._lose(error, is_probe=is_probe)
            elif error.status is not None and isinstance(error, RequestError | RateLimitError):
                self._answer(number)
            raise
        finally:
            self._under_way -= 1
            if is_probe:
                self._probing = False
            self._notify()

    async def _is_down(self, call_id: str) -> bool:
        """Return whether a call was lost to an outage, once that is known."""
        answered = self._answered
        with self._doubts.entered(call_id, self._notify) as doubt:
            while not self._open:
                if self._answered > answered:
                    return False
                if not self._under_way:
                    if self._is_sure:
                        self._begin_outage()
                        return True
                    if doubt.is_settled:
                        return False  # too few calls to tell: it may be these
                await self._change(None)
        return True

    def _answer(self, number: int) -> None:
        if self._is_stale(number):
            return
        self._answered += 1
        self._lost, self._is_sure = 0, False
        if self._given_up is None:
            self._open = False

    def _lose(self, error: ModelError, *, is_probe: bool) -> None:
        self._lost += 1
        if self._lost == 1:
            self._since = time.strftime("%H:%M:%S")
            self._lost_from = self._begun
        self._why, self._latest = str(error), error
        self._is_sure = self._is_sure or self._is_told(error)
        if is_probe:
            self._pause = min(2 * self._pause, self._longest_pause)
            self._plan_probe()
        elif self._lost >= _MOST_LOST and not self._open:
            self._begin_outage()

    def _begin_outage(self) -> None:
        self._open, self._pause = True, self._first_pause
        self._deadline = _now() + self._worth_waiting()
        self._plan_probe()
        self._notify()

    def _plan_probe(self) -> None:
        """Set when the next call is let through, the last at the end of the patience."""
        now = _now()
        if now >= self._deadline:
            self._given_up = self._last_words()
        self._probe_at = min(now + max(self._pause, self._asked_to_wait()), self._deadline)

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _change(self, timeout: float | None) -> None:
        """Wait until something changes, or for so many seconds."""
        changed = self._changed
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await changed.wait()

    _what = "no answer"

    def _is_lost(self, error: ModelError) -> bool:
        return is_lost(error)

    def _is_told(self, error: ModelError) -> bool:
        """Return whether one lost call says that others will be lost as well."""
        return error.permanent

    def _is_stale(self, number: int) -> bool:
        """Return whether the answer to a call, by its number, says nothing of those after it."""
        del number
        return False

    def _worth_waiting(self) -> float:
        """Return for how many seconds waiting may be of use."""
        return self._patience

    def _asked_to_wait(self) -> float:
        """Return the seconds that the endpoint itself asks to wait."""
        return 0.0

    def _last_words(self) -> str:
        return (
            f"{self._place} has not answered since {self._since}, and was waited for "
            f"{self._patience:g} s (limits.outage_patience): {self._why}"
        )


class ModelBreaker(Breaker):
    """Holds the calls to one model while its provider turns all of them away.

    A call is turned away when it got a 429 in all its tries, or a reply that comes again
    until somebody mends a key, an account or a name. Where the account cannot pay, the key
    is rejected or a 429 asks to wait for long, one such call is enough; else five in a row
    are. It waits where the provider says for how long, and that is within the patience.
    Otherwise one more call asks whether it was meant so, and then every call fails.
    Answers to calls that were under way before say nothing of those that come after.
    """

    _what = "turned away"

    def _is_lost(self, error: ModelError) -> bool:
        return isinstance(error, RateLimitError) or (
            isinstance(error, RequestError) and error.permanent
        )

    def _is_told(self, error: ModelError) -> bool:
        return error.status in _OF_THE_ACCOUNT or (error.retry_after or 0.0) > _LONGEST_PAUSE_S

    def _is_stale(self, number: int) -> bool:
        return self._lost > 0 and number <= self._lost_from

    def _worth_waiting(self) -> float:
        latest = self._latest
        if isinstance(latest, RateLimitError) and self._asked_to_wait() <= self._patience:
            return self._patience
        return self._first_pause

    def _asked_to_wait(self) -> float:
        return 0.0 if self._latest is None else self._latest.retry_after or 0.0

    def _last_words(self) -> str:
        said = f"{self._place} turns every call away since {self._since}: {self._why}"
        if not isinstance(self._latest, RateLimitError):
            return said
        asked = self._asked_to_wait()
        wanted = f"it asks to wait {asked:.0f} s, and " if asked else ""
        return f"{said}; {wanted}limits.outage_patience is {self._patience:g} s"


class Breaking(Middleware):
    """A chat model whose calls wait while its endpoint is down."""

    def __init__(self, model: ChatModel, breaker: Breaker) -> None:
        super().__init__(model)
        self._breaker = breaker

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply.

        Raises:
            OutageError: The endpoint was down for longer than it is waited for.
            ModelError: The call failed at an endpoint that is up.
        """
        call = partial(self._model.complete, request)
        return await self._breaker.of(call, request.call_id)


def is_lost(error: ModelError) -> bool:
    """Return whether a call failed as calls to an endpoint that is down do."""
    down = error.status is None or error.status >= 500
    return isinstance(error, TransportError) and down


def _now() -> float:
    return asyncio.get_running_loop().time()
