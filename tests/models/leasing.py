"""Workers that lease, as an engine runs them, without any engine."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from safejury.models import LeaseGrant, Leaseholder, LeaseReport

Exchange = Callable[[LeaseReport], Awaitable[LeaseGrant]]


class Leasing:
    """A worker that sends its reports to a book, one after the other."""

    def __init__(self, name: str, exchange: Exchange) -> None:
        self._asked = asyncio.Event()
        self._exchange = exchange
        self._turn = asyncio.Lock()
        self.holder = Leaseholder(name, self._asked.set)

    async def renew(self) -> None:
        async with self._turn:
            self._asked.clear()
            self.holder.accept(await self._exchange(self.holder.report()))

    @asynccontextmanager
    async def renewed(self) -> AsyncGenerator[None]:
        """Keep the leases renewed within the block, and report what was spent at its end."""
        async with asyncio.TaskGroup() as group:
            await self.renew()
            keeping = group.create_task(self._keep())
            try:
                yield
            finally:
                keeping.cancel()
        await self.renew()

    async def _keep(self) -> None:
        while True:
            wait = self.holder.due_in
            if wait <= 0:
                await self.renew()
                continue
            self._asked.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._asked.wait()
