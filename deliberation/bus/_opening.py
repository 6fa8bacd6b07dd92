"""Opens a jury when it is first needed, and closes it when it is no longer."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager


class Opening:
    """Lets one open or close something at a time, and opens it for those who find it closed.

    Args:
        open_: Opens it.
        close: Closes it.
        is_open: Tells whether it is open.
    """

    def __init__(
        self,
        open_: Callable[[], Awaitable[None]],
        close: Callable[[], Awaitable[None]],
        is_open: Callable[[], bool],
    ) -> None:
        self._open, self._close, self._is_open = open_, close, is_open
        self._guests, self._entered = 0, False
        self._doors = dict[asyncio.AbstractEventLoop, asyncio.Lock]()

    async def enter(self) -> None:
        """Open it until `leave`.

        Raises:
            RuntimeError: It was entered already.
        """
        async with self._door:
            if self._entered:
                raise RuntimeError("the jury is already open: leave it before it is entered again")
            if not self._is_open():  # a guest may have opened it
                await self._open()
            self._entered = True

    async def leave(self) -> None:
        """Close it."""
        async with self._door:
            self._entered = False
            await self._close()

    @asynccontextmanager
    async def kept(self) -> AsyncGenerator[None, None]:
        """Keep it open: where nobody entered it, the first guest opens and the last closes it."""
        if self._entered:
            yield
            return
        door = self._door
        self._guests += 1
        try:
            async with door:
                if not self._is_open():
                    await self._open()
            yield
        finally:
            self._guests -= 1
            async with door:
                if self._is_open() and not (self._guests or self._entered):
                    await self._close()

    @property
    def _door(self) -> asyncio.Lock:
        """Held by whoever opens or closes; one of this event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._doors:
            self._doors = {loop: asyncio.Lock()}
        return self._doors[loop]
