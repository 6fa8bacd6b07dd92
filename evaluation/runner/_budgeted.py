"""Examines cases within a budget: near its end, started cases come before new ones."""

from collections.abc import Coroutine
from typing import Any, Protocol

from ...common import BudgetError
from ...models import Budget, Charge
from ...targets import ResponseOutcome
from ..trials import CaseResult, Exchange, Trial
from ._examiner import Examiner
from ._media_room import MediaHold


class Estimates(Protocol):
    """What cases are expected to take, as a `CaseEstimator` says it."""

    def case(self, trial: Trial) -> Charge:
        """Return about the most that a case takes."""
        ...


class BudgetedExaminer:
    """An examiner that starts no case which the budget may not cover.

    Args:
        examiner: Runs a trial to its result.
        budget: The run's budget.
        estimator: Estimates the charge of a case; None where the run has no limit.
    """

    def __init__(self, examiner: Examiner, budget: Budget, estimator: Estimates | None) -> None:
        self._examiner = examiner
        self._budget = budget
        self._estimator = estimator

    @property
    def is_stopped(self) -> bool:
        """Whether the budget lets no case begin any more."""
        return self._budget.stopped is not None

    async def unless_stopped(self, waited: Coroutine[Any, Any, object]) -> None:
        """Wait for what a case needs, such as a server; see `Budget.unless_stopped`.

        Raises:
            BudgetError: The budget is used up.
        """
        await self._budget.unless_stopped(waited)

    async def begin(self, trial: Trial) -> None:
        """Wait until the budget has room for a case, and reserve it until `judge` ends.

        Raises:
            BudgetError: The budget is used up.
        """
        await self._begin(trial)

    async def ask(self, trial: Trial, hold: MediaHold | None = None) -> Exchange:
        """Ask the target of a started case; see `Examiner.ask`.

        Raises:
            BudgetError: The budget is used up; the target was not asked.
            FirstContactError: The target never answered and waiting won't help.
        """
        try:
            exchange = await self._examiner.ask(trial, hold)
            self._check_asked(exchange)
        except BaseException:
            self._budget.end_case(trial.case_id)
            raise
        return exchange

    async def judge(
        self, trial: Trial, exchange: Exchange, hold: MediaHold | None = None
    ) -> CaseResult:
        """Let the jury judge a response; see `Examiner.judge`.

        Raises:
            BudgetError: The budget is used up; nobody was asked.
            ConfigurationError: Audio cannot be transcribed.
            FirstContactError: A juror's model never answered and waiting won't help.
        """
        await self._begin(trial, paid=True)
        try:
            result = await self._examiner.judge(trial, exchange, hold)
            self._check_judged(exchange.response.calls, result)
            return result
        finally:
            self._budget.end_case(trial.case_id)

    def _check_judged(self, asked: int, result: CaseResult) -> None:
        """Leave a case unfinished if the budget covered none of its jury's calls.

        Args:
            asked: Calls made for the response.
            result: What the jury came to.
        """
        stopped = self._budget.stopped
        unheard = result.finding is None and result.calls == asked and result.lost_ballots > 0
        if stopped is not None and unheard:
            raise BudgetError(stopped)

    async def _begin(self, trial: Trial, *, paid: bool = False) -> None:
        if self._estimator is not None:
            expected = self._estimator.case(trial)
            await self._budget.begin_case(trial.case_id, expected, paid=paid)

    def _check_asked(self, exchange: Exchange) -> None:
        """Leave a case unfinished if the budget did not cover asking its target."""
        response, stopped = exchange.response, self._budget.stopped
        asked = response.calls or response.outcome is not ResponseOutcome.ERROR
        if stopped is not None and not asked:
            raise BudgetError(stopped)
