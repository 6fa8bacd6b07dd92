"""What is kept of spending that no reply tells, so that a killed process loses none of it."""

from typing import Protocol

from ..chat import Charge


class Ledger(Protocol):
    """Keeps what calls hold of a budget while they are under way, and estimates of what they took.

    A process that is killed leaves what its calls held: the next one charges it, once.
    Its methods are quick and never wait.
    """

    def hold(self, call_id: str, held: Charge, share: float) -> int:
        """Keep what a call holds, before it is made, and return a number for `let_go`.

        Args:
            call_id: The call's id.
            held: What was set aside for it.
            share: What part of the budget's limit that is, 0 where there is none.
        """
        ...

    def let_go(self, number: int) -> None:
        """Take back what was kept: what the call took is known, and kept with its reply."""
        ...

    def charge(self, call_id: str, guessed: Charge) -> None:
        """Keep what a call was charged by estimate: no reply says it."""
        ...
