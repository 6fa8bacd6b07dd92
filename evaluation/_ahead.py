"""How far the asking of a target has come, for those who judge behind it."""

import asyncio


class Ahead:
    """Numbers that are finished out of order, and may be waited for.

    What it holds grows with the numbers under way, not with those finished.
    """

    def __init__(self) -> None:
        self._low = 0
        self._done: set[int] = set()
        self._waiting: dict[int, asyncio.Future[None]] = {}

    def finish(self, number: int) -> None:
        """Say that a number, from 0, is finished."""
        self._done.add(number)
        while self._low in self._done:
            self._done.remove(self._low)
            self._low += 1
        if (waiting := self._waiting.pop(number, None)) is not None and not waiting.done():
            waiting.set_result(None)

    async def wait(self, number: int) -> None:
        """Wait until a number is finished; each is waited for once."""
        if number < self._low or number in self._done:
            return
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._waiting[number]
