"""Persists charges that no reply reports, so that a killed process loses none."""

from typing import Protocol

from ..chat import Charge


class Ledger(Protocol):
    """Persists reservations of calls in flight, and charges by estimate.

    A process that is killed leaves what its calls held: the next one charges it, once.
    Its methods are quick and never wait, but for `caught_up`.
    """

    @property
    def is_behind(self) -> bool:
        """Whether no call may be made before `caught_up` returns; never where `hold` stores."""
        return False

    async def caught_up(self) -> None:
        """Wait until what calls hold is stored, and what was written before."""

    def hold(self, call_id: str, held: Charge, share: float) -> int:
        """Store a call's reservation before it is made, and return its number for `let_go`.

        Args:
            call_id: The call's id.
            held: What was set aside for it.
            share: What part of the budget's limit that is, 0 if there is none.
        """
        ...

    def let_go(self, number: int) -> None:
        """Delete a reservation, because the call's cost is stored with its reply."""
        ...

    def charge(self, call_id: str, guessed: Charge) -> None:
        """Store a charge by estimate, which no reply reports."""
        ...
