"""Shares one open jury among all who judge at the same time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import anyio

from ....deliberation import Jury
from ....models import Budget
from ._who import Judges


@dataclass(slots=True)
class _Held:
    """The jury of an event loop: open while somebody uses it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    jury: Jury | None = None
    budget: Budget | None = None
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)


class SharedJury:
    """Opens a jury for the first who uses it, and closes it with the last.

    Inspect has no end of a scorer at which to close what it opened. What the calls cost is
    carried over, so that limits bind them together.

    Args:
        judges: Who judges.
    """

    def __init__(self, judges: Judges) -> None:
        self._judges = judges
        self._held: WeakKeyDictionary[asyncio.AbstractEventLoop, _Held] = WeakKeyDictionary()
        self._spent = (0, 0.0, 0)

    @asynccontextmanager
    async def use(self) -> AsyncGenerator[Jury]:
        """Yield the open jury of this event loop."""
        held = self._held.setdefault(asyncio.get_running_loop(), _Held())
        async with held.lock:
            if held.jury is None:
                opening = self._judges.open(self._spent)
                held.jury, held.budget = await held.stack.enter_async_context(opening)
            held.users += 1
            jury = held.jury
        try:
            yield jury
        finally:
            # A sample that runs out of time is canceled at every `await`.
            with anyio.CancelScope(shield=True):
                async with held.lock:
                    held.users -= 1
                    if not held.users:
                        await self._close(held)

    async def _close(self, held: _Held) -> None:
        budget = held.budget
        held.jury = held.budget = None
        try:
            await held.stack.aclose()
        finally:
            if budget is not None:
                unknown = budget.unknown_price_calls
                self._spent = (budget.spent_tokens, budget.spent_usd, unknown)
