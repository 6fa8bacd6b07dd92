"""Holds failed calls until it is known whether their endpoint is down."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Protocol


class HeldCallListener(Protocol):
    """The interface of a caller that continues with other calls while some are held."""

    def call_held(self, call_id: str) -> bool:
        """Called when a call is held; return whether other calls may follow that decide it."""
        ...

    def call_resumed(self, call_id: str) -> None:
        """Called when a held call continues, whatever the outcome."""
        ...


class HeldCall:
    """One failed call that is held undecided.

    Attributes:
        is_settled: Whether no other call will come that decides it.
    """

    __slots__ = ("_wake", "is_settled")

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self.is_settled = False

    def settle(self) -> None:
        """Declare that no other call will follow, and wake the holder."""
        self.is_settled = True
        self._wake()


class HeldCalls:
    """The failed calls that are held until other calls show whether the endpoint is down.

    One failed call says little: it may be a call that no server can answer. If it counted as
    failed at once, the first calls of each outage would be errors in the figures. So it is
    held while the listener makes other calls. If one of these is answered, the held call has
    failed; if they fail as well, it is an outage, and the call is repeated. Without a
    listener, no call is held.
    """

    def __init__(self) -> None:
        self._listener: HeldCallListener | None = None
        self._open: dict[HeldCall, None] = {}

    def subscribe(self, listener: HeldCallListener) -> None:
        """Notify a listener of all undecided calls from now on."""
        self._listener = listener

    @contextmanager
    def entered(self, call_id: str, wake: Callable[[], None]) -> Generator[HeldCall]:
        """Register a failed call for as long as it is held.

        Args:
            call_id: The call's id.
            wake: Called when it is settled.
        """
        held, listener = HeldCall(wake), self._listener
        self._open[held] = None
        if listener is None or not listener.call_held(call_id):
            listener, held.is_settled = None, True
        try:
            yield held
        finally:
            del self._open[held]
            if listener is not None:
                listener.call_resumed(call_id)

    def settle(self) -> None:
        """Declare that no more calls will follow, so that all held calls have failed."""
        for held in self._open:
            held.settle()
