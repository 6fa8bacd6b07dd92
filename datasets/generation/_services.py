"""How services that draw and speak are asked, and paid within the budget of all calls."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from ...models import Budget, Filtered, RetryPolicy, Spending
from .._errors import BadReplyError
from ._journal import CallJournal

T = TypeVar("T")


class Services:
    """What all services of a set have in common.

    Args:
        policy: How often failed calls are tried again; the usual unless given.
        budget: What may be spent; no bound unless given.
        journal: Where what was spent is kept; nowhere unless given.
    """

    def __init__(
        self,
        policy: RetryPolicy | None = None,
        budget: Budget | None = None,
        journal: CallJournal | None = None,
    ) -> None:
        self.policy = policy
        self._budget = budget or Budget()
        self._journal = journal

    async def paid(
        self, service: str, usd: float | None, call: Callable[[], Awaitable[T | Filtered]]
    ) -> T | Filtered:
        """Make a call if the budget covers it, and keep what it cost.

        What a filter stopped and what failed costs nothing; a reply of no use costs.

        Args:
            service: What the card calls it.
            usd: US dollars of the call, None where the price is unknown.
            call: Makes it.

        Raises:
            BudgetError: The budget does not cover it.
        """
        price = Spending(0, usd)
        await self._budget.reserve(price)
        try:
            reply = await call()
        except BadReplyError:
            self._settle(service, price)
            raise
        except BaseException:
            self._budget.release(price)
            raise
        if isinstance(reply, Filtered):
            self._budget.release(price)
        else:
            self._settle(service, price)
        return reply

    def _settle(self, service: str, price: Spending) -> None:
        self._budget.settle(price, price)
        if self._journal is not None:
            self._journal.charge(service, price.usd)
