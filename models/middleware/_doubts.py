"""Lost calls of which it does not show yet whether they failed, or what they asked is down."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Protocol


class Caller(Protocol):
    """Whoever makes the calls, and goes on with others while some are in doubt."""

    def doubted(self, call_id: str) -> bool:
        """Be told of a call that is held; return whether others may come that tell of it."""
        ...

    def resolved(self, call_id: str) -> None:
        """Be told that a call goes on, whatever came of it."""
        ...


class Doubt:
    """One lost call that is held.

    Attributes:
        is_settled: Whether no other call will come that tells of it.
    """

    __slots__ = ("_wake", "is_settled")

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self.is_settled = False

    def settle(self) -> None:
        """Say that no other call will come, and wake the one who holds it."""
        self.is_settled = True
        self._wake()


class Doubts:
    """The lost calls that are held until others tell what to think of them.

    One lost call says little: it may be this one that no server can answer. If its failure
    became a result at once, the first calls of each outage would be errors in the figures.
    So it is held while its caller makes others. The next that is answered says that it has
    failed; if they are lost as well, it is an outage, and it is made again.
    Where nobody is told of them, none is held.
    """

    def __init__(self) -> None:
        self._caller: Caller | None = None
        self._open: dict[Doubt, None] = {}

    def tell(self, caller: Caller) -> None:
        """Tell somebody of all calls that are in doubt from now on."""
        self._caller = caller

    @contextmanager
    def entered(self, call_id: str, wake: Callable[[], None]) -> Generator[Doubt]:
        """Enter a lost call for as long as it is held.

        Args:
            call_id: The call's id.
            wake: Is called when it is settled.
        """
        doubt, caller = Doubt(wake), self._caller
        self._open[doubt] = None
        if caller is None or not caller.doubted(call_id):
            caller, doubt.is_settled = None, True
        try:
            yield doubt
        finally:
            del self._open[doubt]
            if caller is not None:
                caller.resolved(call_id)

    def settle(self) -> None:
        """Say that no call will come any more while those in doubt are held: they have failed."""
        for doubt in self._open:
            doubt.settle()
