"""Tracks which trials of a target were asked, for the jury that follows."""

import asyncio


class Watermark:
    """Tracks numbers that are finished out of order, and lets tasks wait for them.

    Its size grows with the numbers in progress, not with those finished.
    """

    def __init__(self) -> None:
        self._low = 0
        self._done: set[int] = set()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._stopped = False

    def stop(self) -> None:
        """Signal that no more numbers will be finished."""
        self._stopped = True
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    def finish(self, number: int) -> None:
        """Mark a number, from 0, as finished."""
        self._done.add(number)
        while self._low in self._done:
            self._done.remove(self._low)
            self._low += 1
        if (waiting := self._waiting.pop(number, None)) is not None and not waiting.done():
            waiting.set_result(None)

    async def wait(self, number: int) -> bool:
        """Wait until a number is finished; each may be waited for once.

        Returns:
            False where it never will be finished.
        """
        if not self._is_finished(number) and not self._stopped:
            self._waiting[number] = asyncio.get_running_loop().create_future()
            await self._waiting[number]
        return self._is_finished(number)

    def _is_finished(self, number: int) -> bool:
        return number < self._low or number in self._done
