"""What a budget sets aside for calls and cases under way."""

from dataclasses import dataclass

from ..chat import Charge


@dataclass(slots=True)
class OpenCase:
    """The tokens and money held for a case, and what its calls used of them."""

    expected: Charge
    tokens: int = 0
    usd: float = 0.0

    @property
    def times(self) -> float:
        """The ratio of actual to expected cost."""
        usd = self.usd / self.expected.usd if self.expected.usd else 0.0
        return max(self.tokens / self.expected.tokens, usd) if self.expected.tokens else usd


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation for one call; see `Budget.reserve`.

    Attributes:
        estimate: The most that the call is expected to cost.
        call_id: The call's id, empty if it has none.
        kept: Its number in the budget's ledger, None if it is not there.
    """

    estimate: Charge
    call_id: str
    kept: int | None
