"""A bus that takes requests; closing it cancels those under way."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from autogen_core import (
    AgentId,
    AgentInstantiationContext,
    CancellationToken,
    MessageContext,
    RoutedAgent,
    Subscription,
    TypeSubscription,
    event,
)

from ...common import ConfigurationError
from ..protocol import Published
from ._agent import (
    FLUSH,
    Address,
    BusAgent,
    Handler,
    HandlerAgent,
    StatelessAgent,
    agent_id,
    new_message_id,
    reply_or_raise,
)
from ._direct_runtime import Listener, new_runtime
from ._guest import Guest, is_started, take_off, unless_stopped

_T = TypeVar("_T")


class _Listener(StatelessAgent, Listener):
    """Hands what is published to a function, in the order of publication."""

    def __init__(self, listen: Callable[[Any], None]) -> None:
        super().__init__("listens to what is published")
        self._listen = listen

    @event
    async def on_published(self, message: Published, ctx: MessageContext) -> None:
        self._listen(message.said)

    def take(self, message: object) -> None:
        if isinstance(message, Published):
            self._listen(message.said)


class RequestBus:
    """An AutoGen runtime, and the requests that it works on.

    Args:
        guest: Where the runtime is another's, and how this bus is named on it.
            The runtime is started where it is not, and never stopped.

    Attributes:
        runtime: Where agents are registered, before `start`.
    """

    def __init__(self, guest: Guest | None = None) -> None:
        self.runtime = new_runtime() if guest is None else guest.runtime
        self._prefix = None if guest is None else guest.next_prefix()
        self._kinds = list[str]()
        self._subscriptions = list[str]()
        self._at_work = set[asyncio.Task[Any]]()
        self._under_way = set[CancellationToken]()
        self._loop: asyncio.AbstractEventLoop | None = None

    def name(self, kind: str) -> str:
        """Return what a kind of agents, or a topic, of this bus is called on its runtime."""
        return kind if self._prefix is None else f"{self._prefix}.{kind}"

    async def register(self, kind: str, make: Callable[[], RoutedAgent]) -> None:
        """Register agents of a kind, made when the first message for them comes."""
        # `register_factory` adds no message serializers, so nothing is turned into
        # JSON for the runtime's own log.
        await self.runtime.register_factory(self.name(kind), lambda: self._entered(make()))
        self._kinds.append(self.name(kind))

    async def add(self, kind: str, make: Callable[[str], Handler], description: str) -> None:
        """Register agents that answer their messages by a function.

        Args:
            kind: What they are registered as.
            make: Makes the function of the agent of a key.
            description: What such an agent does.
        """
        await self.register(kind, lambda: HandlerAgent(make(current_key()), description))

    async def listen(self, name: str, listen: Callable[[Any], None], *topics: str) -> None:
        """Give what is published to topics to a function, in its order.

        Args:
            name: Names the listener on the bus.
            listen: The function; must be quick, and raise nothing: that would be dropped.
            topics: The topics.
        """
        await self.register(name, lambda: _Listener(listen))
        for topic in topics:
            await self.subscribe(TypeSubscription(self.name(topic), self.name(name)))

    async def subscribe(self, subscription: Subscription) -> None:
        """Let agents hear what is published to a topic."""
        await self.runtime.add_subscription(subscription)
        self._subscriptions.append(subscription.id)

    def start(self) -> None:
        """Begin to deliver messages."""
        self._loop = asyncio.get_running_loop()
        if self._prefix is None or not is_started(self.runtime):
            self.runtime.start()

    async def make(self, *whom: Address) -> None:
        """Make agents at once, or the first messages for them go by the runtime's queue."""
        for each in whom:
            await self.runtime.get(agent_id(self.name(each.kind), each.key), lazy=False)

    def check_loop(self) -> None:
        """Check that a request from here would be answered, and not wait for another loop.

        Raises:
            ConfigurationError: It was started in another event loop, or its runtime was stopped.
        """
        if self._loop is not asyncio.get_running_loop():
            raise ConfigurationError(
                "the jury was opened in another event loop or thread: use it there, or open it here"
            )
        if self._prefix is not None and not is_started(self.runtime):
            raise ConfigurationError(
                "the runtime that the jury was given is stopped: start it before a case is put"
            )

    async def ask(self, message: object, whom: Address, kind: type[_T]) -> _T:
        """Return an agent's reply; canceling the call cancels all that it led to.

        Raises:
            Exception: The agent's own failure.
        """
        token = CancellationToken()
        self._under_way.add(token)
        try:
            asked = self.runtime.send_message(
                message,
                agent_id(self.name(whom.kind), whom.key),
                cancellation_token=token,
                message_id=new_message_id(),
            )
            own = self._prefix is None
            reply: object = await (asked if own else unless_stopped(self.runtime, asked))
        finally:
            token.cancel()  # whatever a failure left under way
            self._under_way.discard(token)
        return reply_or_raise(reply, kind)

    async def aclose(self) -> None:
        """Cancel what is under way, and return when its agents have ended."""
        for token in tuple(self._under_way):
            token.cancel()
        if self._prefix is not None:
            return await self._leave()
        await self.runtime.stop_when_idle()
        await self.runtime.close()

    async def _leave(self) -> None:
        """Return when the agents have ended, and take them off the runtime."""
        while True:
            if is_started(self.runtime):
                # Until nothing for them waits in the queue: what finds nobody would stay there.
                flushed = self.runtime.send_message(FLUSH, AgentId(self._kinds[0], "flush"))
                with suppress(ConfigurationError):
                    await unless_stopped(self.runtime, flushed)
            if not self._at_work:
                break
            await asyncio.wait(self._at_work)
        for subscription in self._subscriptions:
            await self.runtime.remove_subscription(subscription)
        take_off(self.runtime, self._kinds)

    def _entered(self, agent: RoutedAgent) -> RoutedAgent:
        if self._prefix is not None and isinstance(agent, BusAgent):
            agent.at_work = self._at_work
        return agent


def current_key() -> str:
    """Return the key of the agent that the runtime makes at the moment."""
    return AgentInstantiationContext.current_agent_id().key
