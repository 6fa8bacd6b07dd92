"""Examines cases within a budget: near its end, those that are begun come before new ones."""

from collections.abc import Coroutine
from typing import Any

from ...common import BudgetError
from ...models import Budget
from ...targets import ResponseOutcome
from ..plan import CaseEstimator
from ..trials import CaseResult, Exchange, Trial
from ._examiner import Examiner


class ThriftyExaminer:
    """An examiner that begins no case which the budget may not finish.

    Args:
        examiner: Takes a trial to its result.
        budget: What may be spent.
        estimator: Says what a case may take; None where nothing bounds it.
    """

    def __init__(self, examiner: Examiner, budget: Budget, estimator: CaseEstimator | None) -> None:
        self._examiner = examiner
        self._budget = budget
        self._estimator = estimator

    async def unless_stopped(self, waited: Coroutine[Any, Any, object]) -> None:
        """Wait for what a case needs, such as a server; see `Budget.unless_stopped`.

        Raises:
            BudgetError: The budget is used up.
        """
        await self._budget.unless_stopped(waited)

    async def begin(self, trial: Trial) -> None:
        """Wait until the budget has room for a case, and hold that until `judge` ends.

        Raises:
            BudgetError: The budget is used up.
        """
        await self._begin(trial)

    async def ask(self, trial: Trial) -> Exchange:
        """Put the query of a case that has begun to a target.

        Raises:
            BudgetError: The budget is used up; the target was not asked.
            FirstContactError: The target never answered and waiting won't help.
        """
        try:
            exchange = await self._examiner.ask(trial)
            self._check_asked(exchange)
        except BaseException:
            self._budget.end_case(trial.case_id)
            raise
        return exchange

    async def judge(self, trial: Trial, exchange: Exchange) -> CaseResult:
        """Put a response to the jury.

        Raises:
            BudgetError: The budget is used up; nobody was asked.
            ConfigurationError: A sound cannot be written down.
            FirstContactError: A juror's model never answered and waiting won't help.
        """
        await self._begin(trial, paid=True)
        try:
            return await self._examiner.judge(trial, exchange)
        finally:
            self._budget.end_case(trial.case_id)

    async def _begin(self, trial: Trial, *, paid: bool = False) -> None:
        if self._estimator is not None:
            expected = self._estimator.case(trial)
            await self._budget.begin_case(trial.case_id, expected, paid=paid)

    def _check_asked(self, exchange: Exchange) -> None:
        """Leave a case unfinished whose target was not asked, for the budget did not cover it."""
        response, stopped = exchange.response, self._budget.stopped
        asked = response.calls or response.outcome is not ResponseOutcome.ERROR
        if stopped is not None and not asked:
            raise BudgetError(stopped)
