"""Charges a budget for the calls that an agent makes itself, by the usage that it reports."""

from ...common import ModelError
from ..chat import Charge, ChatModel, ChatRequest, Completion
from ._budget import Budget
from ._budgeted import estimate_prompt_tokens
from ._middleware import Middleware


class SelfReported(Middleware):
    """A model whose calls are not ours: an agent that has a client of its own.

    The budget is charged the tokens that the reply reports, at an unknown price; where it
    reports none, as many as a single call of this length may take.
    """

    def __init__(self, model: ChatModel, budget: Budget) -> None:
        super().__init__(model)
        self._budget = budget

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply.

        Raises:
            BudgetError: The budget does not cover a call of this length; none was made.
            ModelError: The agent failed.
        """
        tokens = estimate_prompt_tokens(request) + (request.max_tokens or 0)
        spent = estimate = Charge(tokens, None)
        guessed: Charge | None = estimate
        reserved = await self._budget.reserve(estimate, request.call_id)
        took_nothing = False
        try:
            completion = await self._model.complete(request)
            if (reported := completion.usage.total_tokens) is not None:
                spent, guessed = Charge(reported, completion.cost_usd), None
            return completion
        except ModelError as error:
            took_nothing = error.unprocessed
            raise
        finally:
            if took_nothing:
                self._budget.release(reserved)
            else:
                self._budget.settle(reserved, spent, guessed=guessed)
