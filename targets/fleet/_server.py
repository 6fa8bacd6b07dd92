"""The interface of a server that a fleet keeps up, wherever it runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ._plan import Placement, ServerUse


class Server(Protocol):
    """A server that can be started, watched and stopped; see `ManagedServer`."""

    @property
    def log(self) -> Path:
        """The server's log file."""
        ...

    @property
    def url(self) -> str | None:
        """The API's address, None before the first start."""
        ...

    @property
    def ended(self) -> str | None:
        """How and why it ended, on one line; None while it runs."""
        ...

    async def start(self) -> None:
        """Start the server and wait until it answers; after `stop` it may be started again.

        Raises:
            ConfigurationError: Its model, its Python, its port or its place cannot be used.
            FirstContactError: It did not answer; the message says why.
        """
        ...

    async def stop(self) -> None:
        """Stop the server with all its descendants; may be called twice."""
        ...

    async def wait(self) -> None:
        """Wait until the server has ended."""
        ...

    async def healthy(self, timeout: float = ...) -> bool:
        """Return whether the server reports within `timeout` seconds that it is healthy."""
        ...

    async def work_done(self, timeout: float = ...) -> float | None:
        """Return a counter of the server's work since its start, None if it counts nothing."""
        ...


ServerMaker = Callable[[ServerUse, Placement, str | None], Server]
"""Makes the server of a use for its place; the last is the API key that it asks for."""
