"""The driver's budget: it lends parts of itself to workers, never more than it has."""

from dataclasses import dataclass

from ...common import BudgetError, SafejuryError
from ..chat import Charge
from ..middleware import Budget, Ledger
from ._messages import BudgetGrant, BudgetReport

_AHEAD = 0.01
"""Of a limit: what all workers together may hold beside what their calls need. What a killed
worker spent without a word is a part of it."""
_NOTHING = Charge(0, 0.0)
_DUST_USD = 1e-9
"""US dollars that sums of many charges may be off by."""


@dataclass(slots=True)
class _Loan:
    """What a worker spent and holds, as it reported last.

    Attributes:
        spent: What it spent.
        reserved: What its calls under way reserve.
        held: What it may spend beside `spent` until its next report; covers `reserved`.
        calls: Its calls under way.
        unknown: Its calls of unknown price.
        estimated: Its calls charged by estimate.
        waits: Whether a call of it waits for what others may leave.
        goal: What it should hold, where that is less than it does.
    """

    spent: Charge = _NOTHING
    reserved: Charge = _NOTHING
    held: Charge = _NOTHING
    calls: int = 0
    unknown: int = 0
    estimated: int = 0
    waits: bool = False
    goal: Charge = _NOTHING


class LendingBudget(Budget):
    """The budget of a run whose workers lease parts of it.

    What is spent, and what workers hold, never exceeds the limit together. What a worker
    holds ahead of its calls is at most its part of a hundredth of the limit, and nothing
    near the end, where the call of one worker waits for what another gives back. Cases are
    begun here, for all workers.

    Args:
        max_tokens_total: See `Budget`.
        max_cost_usd: See `Budget`.
        keep: Persists what calls of this process reserve; workers send what theirs do.
        refusal: See `Budget`.
    """

    def __init__(
        self,
        max_tokens_total: int | None = None,
        max_cost_usd: float | None = None,
        *,
        keep: Ledger | None = None,
        refusal: type[SafejuryError] = BudgetError,
    ) -> None:
        super().__init__(max_tokens_total, max_cost_usd, keep=keep, refusal=refusal)
        self._loans: dict[str, _Loan] = {}

    @property
    def is_wanted(self) -> bool:
        """Whether a call of any worker waits for what others may leave."""
        return any(loan.waits for loan in self._loans.values())

    def renew_lease(self, worker: str, report: BudgetReport) -> BudgetGrant:
        """Book what a worker spent, and return what it may spend.

        Args:
            worker: The worker.
            report: What it spent, holds and needs.
        """
        loan = self._loans.setdefault(worker, _Loan())
        self._book(loan, report)
        refused = self._lend(loan, report) if self.is_bound else None
        self._notify_change()
        goal = loan.goal
        return BudgetGrant(
            Charge(report.spent.tokens + goal.tokens, _usd(report.spent) + _usd(goal)),
            self._ahead(),
            refused,
            self._stopped,
        )

    def end_lease(self, worker: str, charged: Charge, *, unpriced: int = 0) -> None:
        """Take back what a worker holds.

        Args:
            worker: The worker.
            charged: What calls are charged by estimate that it had under way.
            unpriced: Those of them whose price is unknown.
        """
        loan = self._loans.pop(worker, None)
        if loan is None:
            return
        self._hold(loan, _NOTHING)
        self._held -= loan.calls
        self._spent_tokens += charged.tokens
        self._spent_usd += _usd(charged)
        self._unknown += unpriced
        self._notify_change()

    def begin_case_now(self, case_id: str, expected: Charge, *, paid: bool = False) -> bool:
        """Begin a case if there is room for it, and return whether there is; see `begin_case`.

        Raises:
            BudgetError: A call was refused, so that no further case is begun.
        """
        if self._stopped is not None:
            raise BudgetError(self._stopped)
        if case_id not in self._cases:
            if not paid and not self._has_room(expected):
                return False
            self._open_case(case_id, expected)
        return True

    def _book(self, loan: _Loan, report: BudgetReport) -> None:
        """Book what a worker reports."""
        self._spent_tokens += report.spent.tokens - loan.spent.tokens
        self._spent_usd += _usd(report.spent) - _usd(loan.spent)
        self._unknown += report.unknown - loan.unknown
        self._estimated += report.estimated - loan.estimated
        self._held += report.calls - loan.calls
        loan.spent, loan.reserved, loan.calls = report.spent, report.reserved, report.calls
        loan.unknown, loan.estimated = report.unknown, report.estimated
        allowance = report.allowance or report.spent
        tokens = max(allowance.tokens - report.spent.tokens, report.reserved.tokens)
        usd = max(_usd(allowance) - _usd(report.spent), _usd(report.reserved))
        self._hold(loan, Charge(tokens, usd))
        for each in report.cases:
            case = self._cases.get(each.case_id)
            if case is None:
                continue
            case.tokens, case.usd = each.tokens, each.usd
            if each.ended:
                self.end_case(each.case_id)

    def _lend(self, loan: _Loan, report: BudgetReport) -> str | None:
        """Let a worker hold what it needs, and return why not where it never can."""
        kept = loan.held
        # What it holds ahead is there for its next call.
        self._hold(loan, report.reserved)
        lack = None if report.least is None else self._lack(report.least)
        loan.waits = lack is not None
        refused = None
        if lack is None:
            loan.goal = self._goal(report)
        else:
            loan.goal = report.reserved
            if not self._held and not self._reserved_tokens and self._reserved_usd < _DUST_USD:
                self._refused(lack)
                refused, loan.waits = lack, False
        # It may have used meanwhile what it held when it reported.
        self._hold(
            loan,
            Charge(max(kept.tokens, loan.goal.tokens), max(_usd(kept), _usd(loan.goal))),
        )
        return refused

    def _goal(self, report: BudgetReport) -> Charge:
        """Return what a worker should hold: what its calls need, and some ahead."""
        ahead, free, least = self._ahead(), self._free(), report.least or _NOTHING
        part = 1 + sum(loan.waits for loan in self._loans.values())
        tokens = min(report.wanted.tokens + ahead.tokens, free.tokens // part)
        usd = min(_usd(report.wanted) + _usd(ahead), _usd(free) / part)
        return Charge(
            report.reserved.tokens + max(tokens, least.tokens),
            _usd(report.reserved) + max(usd, _usd(least)),
        )

    def _ahead(self) -> Charge:
        """Return what each worker may hold beside what its calls need."""
        if self.is_wanted or not self.is_bound:
            return _NOTHING
        free, parts = self._free(), max(1, len(self._loans))
        tokens = min(_AHEAD * (self._max_tokens or 0), free.tokens / 2) / parts
        return Charge(int(tokens), min(_AHEAD * (self._max_usd or 0.0), _usd(free) / 2) / parts)

    def _free(self) -> Charge:
        """Return what is neither spent nor held, 0 of what is not limited."""
        tokens = (self._max_tokens or 0) - self._spent_tokens - self._reserved_tokens
        usd = (self._max_usd or 0.0) - self._spent_usd - self._reserved_usd
        return Charge(max(0, tokens), max(0.0, usd))

    def _hold(self, loan: _Loan, held: Charge) -> None:
        """Let a worker hold so much, of what no other can then take."""
        self._reserved_tokens += held.tokens - loan.held.tokens
        self._reserved_usd += _usd(held) - _usd(loan.held)
        loan.held = held


def _usd(charge: Charge) -> float:
    return charge.usd or 0.0
