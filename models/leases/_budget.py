"""A worker's budget: it spends what it was leased, and asks ahead for more."""

from collections.abc import Callable
from dataclasses import dataclass

from ...common import BudgetError, SafejuryError
from ..chat import Charge
from ..middleware import Budget, Ledger
from ._messages import BudgetGrant, BudgetReport, CaseCharge

_NOTHING = Charge(0, 0.0)


@dataclass(slots=True)
class _Waiting:
    """A call that waits for more of the budget."""

    estimate: Charge
    refused: str | None = None


class LeasedBudget(Budget):
    """The part of a run's budget that one worker was leased.

    A case was begun by the driver, which has room for it, so that none waits here. A call
    that the lease does not cover waits until the driver has more, and is refused by the
    driver alone, once no call of any worker may leave more.

    Args:
        max_tokens_total: Maximum tokens of all workers together, None for no limit.
        max_cost_usd: Maximum US dollars of all workers together, None for no limit.
        ask: Called when it needs more sooner than the next renewal.
        keep: Persists the reservations of calls under way; see `Budget`.
        refusal: The error raised for a call that is not covered; see `Budget`.

    Attributes:
        waited: Calls that had to wait for a lease.
    """

    def __init__(
        self,
        max_tokens_total: int | None,
        max_cost_usd: float | None,
        ask: Callable[[], None],
        *,
        keep: Ledger | None = None,
        refusal: type[SafejuryError] = BudgetError,
    ) -> None:
        leased = None if max_tokens_total is None else 0
        leased_usd = None if max_cost_usd is None else 0.0
        super().__init__(leased, leased_usd, keep=keep, refusal=refusal)
        self._of_all = (max_tokens_total, max_cost_usd)
        self._ask = ask
        self._ahead = _NOTHING
        self._wanting = dict[object, _Waiting]()
        self._reported: Charge | None = None
        self._told = dict[str, CaseCharge]()
        self._ended: list[CaseCharge] = []
        self.waited = 0

    def report(self) -> BudgetReport:
        """Return what it spent, holds and needs, after it gave back what it does not need."""
        waiting = [call.estimate for call in self._wanting.values()]
        self._reported = min(waiting, key=self._share, default=None)
        return BudgetReport(
            allowance=self._kept(),
            spent=Charge(self._spent_tokens, self._spent_usd),
            reserved=self.held,
            calls=self._held,
            unknown=self._unknown,
            estimated=self._estimated,
            least=self._reported,
            wanted=Charge(
                sum(each.tokens for each in waiting), sum(each.usd or 0.0 for each in waiting)
            ),
            cases=self._changed_cases(),
        )

    def accept(self, grant: BudgetGrant) -> None:
        """Go on with another allowance."""
        self._ahead = grant.ahead
        if self._max_tokens is not None:
            self._max_tokens = grant.allowance.tokens
        if self._max_usd is not None:
            self._max_usd = grant.allowance.usd or 0.0
        self._stopped = grant.stopped
        if grant.refused is not None and self._reported is not None:
            for call in self._wanting.values():
                if _is_covered_by(self._reported, call.estimate):
                    call.refused = grant.refused
        self._notify_change()

    def suspend(self) -> None:
        """Start no more calls until the next grant."""
        if self._max_tokens is not None:
            self._max_tokens = min(self._max_tokens, self._spent_tokens + self._reserved_tokens)
        if self._max_usd is not None:
            self._max_usd = min(self._max_usd, self._spent_usd + self._reserved_usd)

    async def begin_case(self, case_id: str, expected: Charge, *, paid: bool = False) -> None:
        """Begin a case for which the driver has room; see `Budget.begin_case`.

        Raises:
            BudgetError: A call of some worker was refused, so that no further case is begun.
        """
        del paid
        await super().begin_case(case_id, expected, paid=True)

    def end_case(self, case_id: str) -> None:
        """Let the driver know that a case makes no more calls."""
        case = self._cases.get(case_id)
        if case is not None:
            self._ended.append(CaseCharge(case_id, case.tokens, case.usd, ended=True))
            self._told.pop(case_id, None)
        super().end_case(case_id)

    async def _cover(self, estimate: Charge) -> None:
        key, waiting = object(), _Waiting(estimate)
        self._wanting[key] = waiting
        self.waited += 1
        self._ask()
        try:
            while waiting.refused is None and self._lack(estimate) is not None:
                await self._change()
        finally:
            del self._wanting[key]
        if self._lack(estimate) is not None:
            raise self._refusal(waiting.refused)

    def _take(self, tokens: int, usd: float | None, call_id: str) -> None:
        super()._take(tokens, usd, call_id)
        if self._is_low(tokens):
            self._ask()

    def _is_low(self, tokens: int) -> bool:
        """Return whether half of what it holds ahead is used, after a call took some."""
        if tokens < 0 or not self.is_bound:
            return False
        left = self._left()
        return 2 * left.tokens < self._ahead.tokens or 2 * (left.usd or 0.0) < (
            self._ahead.usd or 0.0
        )

    def _left(self) -> Charge:
        """Return what is left of the allowance; what is not limited does not run out."""
        tokens, usd = self._ahead.tokens, self._ahead.usd or 0.0
        if self._max_tokens is not None:
            tokens = self._max_tokens - self._spent_tokens - self._reserved_tokens
        if self._max_usd is not None:
            usd = self._max_usd - self._spent_usd - self._reserved_usd
        return Charge(tokens, usd)

    def _kept(self) -> Charge | None:
        """Give back what it does not need, and return its allowance."""
        if not self.is_bound:
            return None
        left = self._left()
        if self._max_tokens is not None:
            self._max_tokens -= max(0, left.tokens - self._ahead.tokens)
        if self._max_usd is not None:
            self._max_usd -= max(0.0, (left.usd or 0.0) - (self._ahead.usd or 0.0))
        return Charge(self._max_tokens or 0, self._max_usd or 0.0)

    def _changed_cases(self) -> tuple[CaseCharge, ...]:
        changed, self._ended = self._ended, []
        for name, case in self._cases.items():
            told = CaseCharge(name, case.tokens, case.usd)
            if self._told.get(name) != told:
                self._told[name] = told
                changed.append(told)
        return tuple(changed)

    def _share(self, estimate: Charge) -> float:
        most_tokens, most_usd = self._of_all
        tokens = estimate.tokens / most_tokens if most_tokens else 0.0
        return max(tokens, (estimate.usd or 0.0) / most_usd if most_usd else 0.0)


def _is_covered_by(refused: Charge, estimate: Charge) -> bool:
    """Return whether a call needs as much as one that was refused, or more."""
    enough_usd = (estimate.usd or 0.0) >= (refused.usd or 0.0)
    return estimate.tokens >= refused.tokens and enough_usd
