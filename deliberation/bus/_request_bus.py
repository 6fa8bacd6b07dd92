"""A bus that takes requests; closing it cancels those under way."""

import asyncio
from typing import TypeVar

from autogen_core import AgentId, CancellationToken

from ...common import ConfigurationError
from ._agent import reply_or_raise
from ._quiet_runtime import new_runtime

_T = TypeVar("_T")


class RequestBus:
    """An AutoGen runtime, and the requests that it works on.

    Attributes:
        runtime: Where agents are registered, before `start`.
    """

    def __init__(self) -> None:
        self.runtime = new_runtime()
        self._under_way = set[CancellationToken]()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to deliver messages."""
        self._loop = asyncio.get_running_loop()
        self.runtime.start()

    def check_loop(self) -> None:
        """Check that a request from here would be answered, and not wait for another loop.

        Raises:
            ConfigurationError: It was started in another event loop.
        """
        if self._loop is not asyncio.get_running_loop():
            raise ConfigurationError(
                "the jury was opened in another event loop or thread: use it there, or open it here"
            )

    async def ask(self, message: object, whom: AgentId, kind: type[_T]) -> _T:
        """Return an agent's reply; canceling the call cancels all that it led to.

        Raises:
            Exception: The agent's own failure.
        """
        token = CancellationToken()
        self._under_way.add(token)
        try:
            reply: object = await self.runtime.send_message(message, whom, cancellation_token=token)
        finally:
            token.cancel()  # whatever a failure left under way
            self._under_way.discard(token)
        return reply_or_raise(reply, kind)

    async def aclose(self) -> None:
        """Cancel what is under way, and return when its agents have ended."""
        for token in tuple(self._under_way):
            token.cancel()
        await self.runtime.stop_when_idle()
        await self.runtime.close()
