"""Limits, breaker and delays that all models at one place share."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from ...common import BadReplyError, ModelError, RateLimitError
from ..chat import redactor
from ._breaker import Breaker, ModelBreaker
from ._held_calls import HeldCalls
from ._limits import Limiter

_SLOW_DOWN = "it asks to slow down (429)"


@dataclass(frozen=True, slots=True)
class PlaceLimits:
    """The limits of one place.

    Attributes:
        concurrency: Calls at a time, at least 1.
        requests_per_minute: Calls a minute, None for no bound.
    """

    concurrency: int = 32
    requests_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Waiting calls to one place, for displays.

    Attributes:
        place: Where they go, or what is waited for.
        why: What they wait for, in words.
        calls: How many wait, at least 1.
        seconds: Until the next of them is made, None if unknown.
        given_up_in: Seconds until they are given up, None if they are not.
        of: What waits, if not calls.
    """

    place: str
    why: str
    calls: int
    seconds: float | None = None
    given_up_in: float | None = None
    of: str = "call"

    def __str__(self) -> str:
        """Describe it on one line: what waits, why, and how long."""
        said = [redactor.redact(f"waiting for {self.place}: {self.why}")]
        if self.seconds is not None:
            said.append(f"next call in {self.seconds:.0f} s")
        if self.given_up_in is not None:
            said.append(f"given up in {self.given_up_in:.0f} s")
        said.append(f"{self.calls} {self.of}{' waits' if self.calls == 1 else 's wait'}")
        return "; ".join(said)


class Delays:
    """Failed calls to one place that wait for their next try."""

    def __init__(self) -> None:
        self._under_way: dict[object, tuple[ModelError, float]] = {}

    @contextmanager
    def entered(self, error: ModelError, until: float) -> Generator[None]:
        """Register a call that waits because of `error`.

        Args:
            error: Why it failed.
            until: When it is made again, on the clock that `next` is asked with.
        """
        key = object()
        self._under_way[key] = error, until
        try:
            yield
        finally:
            del self._under_way[key]

    def __len__(self) -> int:
        return len(self._under_way)

    def next(self, now: float) -> tuple[ModelError, float] | None:
        """Return the delay that ends first: its error and the seconds left."""
        if not self._under_way:
            return None
        error, until = min(self._under_way.values(), key=lambda delay: delay[1])
        return error, max(0.0, until - now)


class Place:
    """An endpoint, provider or managed server, shared by all models there.

    Args:
        name: What it is called in displays and errors.
        limits: The most that it gets.
        outage_patience: Seconds for which it is waited for when it is down; None lets its
            calls fail.
        held_calls: Where lost calls are entered while they are held; none is held unless given.
        has_answered: Whether it gave a sign of life before.
        limiter: Bounds the calls to it where other processes call it as well; one of its own
            unless given.

    Attributes:
        name: What it is called.
        limiter: Bounds the calls to it.
        breaker: Holds them while it is down, None if they fail.
        delays: Those that failed and are made again.
    """

    def __init__(
        self,
        name: str,
        limits: PlaceLimits,
        outage_patience: float | None,
        held_calls: HeldCalls | None = None,
        *,
        has_answered: bool = False,
        limiter: Limiter | None = None,
    ) -> None:
        self.name = name
        self.limiter = limiter or Limiter(limits.concurrency, limits.requests_per_minute)
        self.breaker = None
        if outage_patience is not None:
            self.breaker = Breaker(name, outage_patience, held_calls, has_answered=has_answered)
        self.delays = Delays()
        self._held_calls = held_calls
        self._outage_patience = outage_patience
        self._of_models = list[ModelBreaker]()
        self._requests_per_minute = limits.requests_per_minute

    def model_breaker(self, model: str) -> ModelBreaker | None:
        """Return a new breaker for one model, None if breakers are off.

        Args:
            model: What the model is called in errors.
        """
        if self._outage_patience is None:
            return None
        self._of_models.append(ModelBreaker(model, self._outage_patience, self._held_calls))
        return self._of_models[-1]

    def wait(self, now: float) -> Wait | None:
        """Return why calls wait, None if they only wait for replies.

        Args:
            now: The time on the event loop's clock.
        """
        for breaker in (self.breaker, *self._of_models):
            outage = None if breaker is None else breaker.outage
            if outage is not None and outage.held:
                why = f"{outage.what} since {outage.since}"
                return Wait(self.name, why, outage.held, outage.probe_in, outage.ends_in)
        paused = self.limiter.paused_for
        delayed = self.delays.next(now)
        calls = len(self.delays) + self.limiter.waiting
        if paused > 0 and calls:
            return Wait(self.name, _SLOW_DOWN, calls, paused)
        if delayed is not None:
            error, seconds = delayed
            return Wait(self.name, _why(error), len(self.delays), seconds)
        if (throttled := self.limiter.throttled) and self._requests_per_minute is not None:
            why = f"{self._requests_per_minute} calls a minute (limits.requests_per_minute)"
            return Wait(self.name, why, throttled)
        return None


def _why(error: ModelError) -> str:
    if isinstance(error, RateLimitError):
        return _SLOW_DOWN
    if isinstance(error, BadReplyError):
        return "its reply could not be read"
    return "no reply" if error.status is None else f"it failed ({error.status})"
