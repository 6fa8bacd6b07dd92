"""How a person on the jury is asked while something else is shown."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Screen(Protocol):
    """What is shown on the terminal at which the person sits."""

    def paused(self) -> AbstractContextManager[None]:
        """Leave the terminal to the person within the block."""
        ...


def asking_over(screen: Screen) -> Callable[[str], Awaitable[str]]:
    """Return a way to ask the person that leaves the terminal to the question."""

    async def ask(text: str) -> str:
        from ...agents import ask_at_terminal  # only a person on the jury needs it

        with screen.paused():
            return await ask_at_terminal(text)

    return ask
