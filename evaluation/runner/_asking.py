"""Asks a person on the jury while a display uses the terminal."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Screen(Protocol):
    """A display on the person's terminal."""

    def paused(self) -> AbstractContextManager[None]:
        """Release the terminal to the person within the block."""
        ...


def asking_over(screen: Screen) -> Callable[[str], Awaitable[str]]:
    """Return a function that pauses the display and asks the person."""

    async def ask(text: str) -> str:
        from ...agents import ask_at_terminal  # only a person on the jury needs it

        with screen.paused():
            return await ask_at_terminal(text)

    return ask
