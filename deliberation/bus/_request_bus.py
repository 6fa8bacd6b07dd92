"""A bus that takes requests; closing it cancels those under way."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from autogen_core import (
    AgentId,
    AgentInstantiationContext,
    CancellationToken,
    MessageContext,
    RoutedAgent,
    TypeSubscription,
    event,
)

from ...common import ConfigurationError
from ..protocol import Published
from ._agent import Address, Handler, HandlerAgent, reply_or_raise
from ._quiet_runtime import new_runtime

_T = TypeVar("_T")


class _Listener(RoutedAgent):
    """Hands what is published to a function, in the order of publication."""

    def __init__(self, listen: Callable[[Any], None]) -> None:
        super().__init__("listens to what is published")
        self._listen = listen

    @event
    async def on_published(self, message: Published, ctx: MessageContext) -> None:
        self._listen(message.said)


class RequestBus:
    """An AutoGen runtime, and the requests that it works on.

    Attributes:
        runtime: Where agents are registered, before `start`.
    """

    def __init__(self) -> None:
        self.runtime = new_runtime()
        self._under_way = set[CancellationToken]()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def add(self, kind: str, make: Callable[[str], Handler], description: str) -> None:
        """Register agents that answer their messages by a function.

        Args:
            kind: What they are registered as.
            make: Makes the function of the agent of a key.
            description: What such an agent does.
        """
        # `register_factory` adds no message serializers, so nothing is turned into
        # JSON for the runtime's own log.
        await self.runtime.register_factory(
            kind, lambda: HandlerAgent(make(current_key()), description)
        )

    async def listen(self, name: str, listen: Callable[[Any], None], *topics: str) -> None:
        """Give what is published to topics to a function, in its order.

        Args:
            name: Names the listener on the bus.
            listen: The function; must be quick, and raise nothing: that would be dropped.
            topics: The topics.
        """
        await self.runtime.register_factory(name, lambda: _Listener(listen))
        for topic in topics:
            await self.runtime.add_subscription(TypeSubscription(topic, name))

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

    async def ask(self, message: object, whom: Address, kind: type[_T]) -> _T:
        """Return an agent's reply; canceling the call cancels all that it led to.

        Raises:
            Exception: The agent's own failure.
        """
        token = CancellationToken()
        self._under_way.add(token)
        try:
            reply: object = await self.runtime.send_message(
                message, AgentId(whom.kind, whom.key), cancellation_token=token
            )
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


def current_key() -> str:
    """Return the key of the agent that the runtime makes at the moment."""
    return AgentInstantiationContext.current_agent_id().key
