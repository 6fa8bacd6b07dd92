"""A circuit breaker: calls wait while an endpoint is down, instead of failing."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from ...common import ModelError, OutageError, RateLimitError, RequestError, TransportError
from ..chat import ChatModel, ChatRequest, Completion
from ._held_calls import HeldCalls
from ._middleware import Middleware

T = TypeVar("T")

_MOST_LOST = 5
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_MOST_OUTAGES = 3
_OF_THE_ACCOUNT = (401, 402)
"""HTTP statuses that apply to every call with the same key."""


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage that calls are waiting out.

    Attributes:
        since: Time of day at which the first call failed.
        why: The last failure, on one line.
        held: The number of waiting calls.
        probe_in: Seconds until the next probe; 0 while one is under way.
        ends_in: Seconds until the endpoint is given up, at least 0.
        what: What has happened since then, in words.
    """

    since: str
    why: str
    held: int
    probe_in: float
    ends_in: float
    what: str = "no answer"


class Breaker:
    """Holds calls to one endpoint while it is down; all its models share one breaker.

    A call is lost when it got no reply, or a 5xx, after all its retries. The breaker opens
    when five calls in a row are lost, or when nothing listens at the address and all calls
    under way are lost. While it is open, calls wait: one probe at a time is let through,
    after growing pauses, and the first answer lets all calls continue. The lost calls that
    opened the breaker wait and are repeated like the others. A call that is lost while
    others are answered has failed: the call is at fault, not the endpoint. Until either is
    known, a lost call is held.

    Args:
        place: What the endpoint is called in errors.
        patience: Seconds that an outage may last, at least 0; then every call fails.
        held_calls: Where held calls are registered; without it, a lost call with no other
            call under way has failed.
        has_answered: Whether the endpoint has answered before.
    """

    def __init__(
        self,
        place: str,
        patience: float,
        held_calls: HeldCalls | None = None,
        *,
        has_answered: bool = False,
    ) -> None:
        self._place = place
        self._patience = patience
        self._held_calls = held_calls or HeldCalls()
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
        self._changed: asyncio.Event | None = None  # once somebody waits

    def has_answered(self) -> bool:
        """Return whether the endpoint ever answered."""
        return self._answered_before or self._answered > 0

    @property
    def outage(self) -> Outage | None:
        """The current outage, for displays; None if there is none."""
        if not self._open or self._given_up is not None:
            return None
        now = _now()
        probe_in = 0.0 if self._probing else max(0.0, self._probe_at - now)
        ends_in = max(0.0, self._deadline - now)
        return Outage(self._since, self._why, self._held, probe_in, ends_in, self._what)

    async def run(self, call: Callable[[], Awaitable[T]], call_id: str = "") -> T:
        """Make a call and return its result; repeat it after each outage.

        Args:
            call: Makes the call.
            call_id: The id under which it is held.

        Raises:
            OutageError: The endpoint was down for longer than the maximum wait.
            ModelError: The call failed at an endpoint that is up.
        """
        outages, answered_at_first = 0, 0
        while True:
            is_probe = await self._admit() if self._open else False
            try:
                return await self._attempt(call, is_probe=is_probe)
            except ModelError as error:
                if not self._is_lost(error):
                    raise
                # A call that is lost every time, while others are answered, would open the
                # breaker forever. One repeat is not enough: the calls that an outage held
                # continue all at once, and may run into the next outage.
                if outages >= _MOST_OUTAGES and self._answered > answered_at_first:
                    raise
                answered_at_first = answered_at_first if outages else self._answered
                if not await self._is_down(call_id):
                    raise
            outages += 1

    async def _admit(self) -> bool:
        """Wait while the endpoint is down; return whether this call is the probe."""
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

    async def _attempt(self, call: Callable[[], Awaitable[T]], *, is_probe: bool) -> T:
        """Make a call and record how it ended."""
        self._under_way += 1
        self._begun += 1
        number = self._begun
        try:
            value = await call()
            self._record_answer(number)
            return value
        except ModelError as error:
            if self._is_lost(error):
                self._record_loss(error, is_probe=is_probe)
            elif error.status is not None and isinstance(error, RequestError | RateLimitError):
                self._record_answer(number)
            raise
        finally:
            self._under_way -= 1
            if is_probe:
                self._probing = False
            self._notify()

    async def _is_down(self, call_id: str) -> bool:
        """Wait until it is known whether a failed call was lost to an outage."""
        answered = self._answered
        with self._held_calls.entered(call_id, self._notify) as held:
            while not self._open:
                if self._answered > answered:
                    return False
                if not self._under_way:
                    if self._is_sure:
                        self._begin_outage()
                        return True
                    if held.is_settled:
                        return False  # too few calls: these alone may be at fault
                await self._change(None)
        return True

    def _record_answer(self, number: int) -> None:
        if self._is_stale(number):
            return
        self._answered += 1
        self._lost, self._is_sure = 0, False
        if self._given_up is None:
            self._open = False

    def _record_loss(self, error: ModelError, *, is_probe: bool) -> None:
        self._lost += 1
        if self._lost == 1:
            self._since = time.strftime("%H:%M:%S")
            self._lost_from = self._begun
        self._why, self._latest = str(error), error
        self._is_sure = self._is_sure or self._is_conclusive(error)
        if is_probe:
            self._pause = min(2 * self._pause, self._longest_pause)
            self._plan_probe()
        elif self._lost >= _MOST_LOST and not self._open:
            self._begin_outage()

    def _begin_outage(self) -> None:
        self._open, self._pause = True, self._first_pause
        self._deadline = _now() + self._useful_wait()
        self._plan_probe()
        self._notify()

    def _plan_probe(self) -> None:
        """Schedule the next probe, the last one at the end of the maximum wait."""
        now = _now()
        if now >= self._deadline:
            self._given_up = self._give_up_message()
        self._probe_at = min(now + max(self._pause, self._requested_wait()), self._deadline)

    def _notify(self) -> None:
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.set()

    async def _change(self, timeout: float | None) -> None:
        """Wait for a state change, at most so many seconds."""
        if self._changed is None:
            self._changed = asyncio.Event()
        changed = self._changed
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await changed.wait()

    _what = "no answer"

    def _is_lost(self, error: ModelError) -> bool:
        return is_lost(error)

    def _is_conclusive(self, error: ModelError) -> bool:
        """Return whether a single failure is enough to assume an outage."""
        return error.permanent

    def _is_stale(self, number: int) -> bool:
        """Return whether a call is too old for its result to say anything now."""
        del number
        return False

    def _useful_wait(self) -> float:
        """Return how many more seconds waiting may help."""
        return self._patience

    def _requested_wait(self) -> float:
        """Return the seconds that the endpoint asked to wait."""
        return 0.0

    def _give_up_message(self) -> str:
        return (
            f"{self._place} has not answered since {self._since}; waited "
            f"{self._patience:g} s (limits.outage_patience): {self._why}"
        )


class ModelBreaker(Breaker):
    """Holds calls to one model while its provider rejects all of them.

    A call is rejected when it got a 429 in all its tries, or a reply that will repeat until
    a key, an account or a name is fixed. One such call is enough if the account cannot pay,
    the key is rejected or a 429 asks for a long wait; otherwise five in a row are needed.
    Calls wait if the provider says for how long and that is within the patience. Otherwise
    one more call checks the rejection, and then every call fails. Answers to calls that
    were under way before are ignored.
    """

    _what = "every call rejected"

    def _is_lost(self, error: ModelError) -> bool:
        return isinstance(error, RateLimitError) or (
            isinstance(error, RequestError) and error.permanent
        )

    def _is_conclusive(self, error: ModelError) -> bool:
        return error.status in _OF_THE_ACCOUNT or (error.retry_after or 0.0) > _LONGEST_PAUSE_S

    def _is_stale(self, number: int) -> bool:
        return self._lost > 0 and number <= self._lost_from

    def _useful_wait(self) -> float:
        latest = self._latest
        if isinstance(latest, RateLimitError) and self._requested_wait() <= self._patience:
            return self._patience
        return self._first_pause

    def _requested_wait(self) -> float:
        return 0.0 if self._latest is None else self._latest.retry_after or 0.0

    def _give_up_message(self) -> str:
        said = f"{self._place} has rejected every call since {self._since}: {self._why}"
        if not isinstance(self._latest, RateLimitError):
            return said
        asked = self._requested_wait()
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
            OutageError: The endpoint was down for longer than the maximum wait.
            ModelError: The call failed at an endpoint that is up.
        """
        call = partial(self._model.complete, request)
        return await self._breaker.run(call, request.call_id)


def is_lost(error: ModelError) -> bool:
    """Return whether an error looks like the endpoint is down."""
    down = error.status is None or error.status >= 500
    return isinstance(error, TransportError) and down


def _now() -> float:
    return asyncio.get_running_loop().time()
