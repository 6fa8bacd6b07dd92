"""How far the asking of a target has come, for those who judge behind it."""

import asyncio


class Watermark:
    """Numbers that are finished out of order, and may be waited for.

    What it holds grows with the numbers under way, not with those finished.
    """

    def __init__(self) -> None:
        self._low = 0
        self._done: set[int] = set()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._stopped = False

    def stop(self) -> None:
        """Say that no number will be finished any more."""
        self._stopped = True
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    def finish(self, number: int) -> None:
        """Say that a number, from 0, is finished."""
        self._done.add(number)
        while self._low in self._done:
            self._done.remove(self._low)
            self._low += 1
        if (waiting := self._waiting.pop(number, None)) is not None and not waiting.done():
            waiting.set_result(None)

    async def wait(self, number: int) -> bool:
        """Wait until a number is finished; each is waited for once.

        Returns:
            False where it never will be.
        """
        if not self._is_finished(number) and not self._stopped:
            self._waiting[number] = asyncio.get_running_loop().create_future()
            await self._waiting[number]
        return self._is_finished(number)

    def _is_finished(self, number: int) -> bool:
        return number < self._low or number in self._done
