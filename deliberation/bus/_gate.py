"""Makes callers wait while a gate is shut."""

import asyncio


class Gate:
    """A gate, open at first."""

    def __init__(self) -> None:
        self._opened: asyncio.Event | None = None

    @property
    def is_shut(self) -> bool:
        """Whether what comes has to wait."""
        return self._opened is not None

    def shut(self) -> None:
        """Let nothing pass until it is opened."""
        if self._opened is None:
            self._opened = asyncio.Event()  # belongs to the loop in which somebody waits

    def open(self) -> None:
        """Let all pass that waited, and whatever comes."""
        if self._opened is not None:
            self._opened.set()
            self._opened = None

    async def passed(self) -> None:
        """Return when it is open."""
        while self._opened is not None:
            await self._opened.wait()
