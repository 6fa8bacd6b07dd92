"""Calls image and speech services within the budget."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

from ...common import BadReplyError
from ...models import Budget, Charge, Filtered, Reservation, RetryPolicy
from ._journal import CallJournal

T = TypeVar("T")
_DELIVERED: ContextVar[asyncio.Event | None] = ContextVar("delivered", default=None)
"""Set once the service that the work at hand asked has delivered."""


class Services:
    """Retry policy, budget and journal of all services of a set.

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
        """Make a call if the budget covers it, and journal its cost.

        What a filter stopped and what failed costs nothing; a reply of no use costs.

        Args:
            service: What the card calls it.
            usd: US dollars of the call, None where the price is unknown.
            call: Makes it.

        Raises:
            BudgetError: The budget does not cover it.
        """
        reserved = await self._budget.reserve(Charge(0, usd))
        try:
            reply = await call()
        except BadReplyError:
            self._settle(service, reserved)
            raise
        except BaseException:
            self._budget.release(reserved)
            raise
        if isinstance(reply, Filtered):
            self._budget.release(reserved)
            return reply
        if (delivered := _DELIVERED.get()) is not None:
            delivered.set()  # before a call that waits for the budget may end the command
        self._settle(service, reserved)
        return reply

    def _settle(self, service: str, reserved: Reservation) -> None:
        self._budget.settle(reserved, reserved.estimate)
        if self._journal is not None:
            self._journal.charge_service(service, reserved.estimate.usd)


async def finish_once_paid(work: Coroutine[Any, Any, T]) -> T:
    """Run work that calls a service, and finish it once the service has delivered.

    Cancelled before the service delivers, the work stops. Cancelled after that it ends
    first, so that what is paid for is kept.
    """
    delivered, context = asyncio.Event(), copy_context()
    context.run(_DELIVERED.set, delivered)
    task = asyncio.create_task(work, context=context)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not delivered.is_set():
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
