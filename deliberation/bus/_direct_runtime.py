"""AutoGen's runtime, which hands a message over without a queue where nobody can tell.

The stock runtime puts each message into a queue, takes it out in a task, handles it in a second
one, and brings the reply back by the queue and a third. `DirectRuntime` handles a message in one
task, or in its sender's, and lets listeners take in at once what is published.
"""

import asyncio
import logging
import uuid
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from autogen_core import (
    Agent,
    AgentId,
    CancellationToken,
    MessageContext,
    MessageHandlerContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    Subscription,
    TopicId,
)

from ._quiet_runtime import QuietRuntime, wants_tracing

_LOG, _EVENTS = logging.getLogger("autogen_core"), logging.getLogger("autogen_core.events")


class DirectContext(MessageContext):
    """Of a message that is handled in its sender's task: what cancels that task ends both."""


class Listener(RoutedAgent):
    """An agent that takes in what is published, and waits for nothing in it."""

    @abstractmethod
    def take(self, message: object) -> None:
        """Take in a message, as its handlers would; must be quick."""

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any:
        """Take in a message that came by the queue."""
        try:
            return await super().on_message_impl(message, ctx)
        finally:
            if isinstance(self.runtime, DirectRuntime):
                self.runtime.note_arrival()


class DirectRuntime(QuietRuntime):
    """A runtime on which messages do not wait in a queue.

    What one agent asks of another is handled in the asker's task, and ends with it; what is asked
    from outside has a task of its own. What is published to listeners alone is taken in at once.

    Messages go by AutoGen's queue while somebody reads its log, the first one to an agent does,
    and what others than listeners hear: what listeners hear stays in its order, and is heard
    before the reply that follows it. All go by the queue should a later release of AutoGen rename
    what is not public here: slower, and right as ever.
    """

    _run_context: Any = None
    _instantiated_agents: Mapping[AgentId, Agent] = {}  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self) -> None:
        super().__init__()
        self._subscriptions = dict[str, Subscription]()
        self._listeners = dict[TopicId, tuple[Listener, ...] | None]()
        self._under_way = set[asyncio.Task[None]]()
        self._queued, self._arrived = 0, 0  # of what goes to listeners by the queue
        self._arrival = asyncio.Event()

    async def send_message(
        self,
        message: Any,
        recipient: AgentId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> Any:
        """See `AgentRuntime.send_message`."""
        agent = self._instantiated_agents.get(recipient)
        token = cancellation_token or CancellationToken()
        if agent is None or not self._is_direct or token.is_cancelled():
            return await super().send_message(
                message,
                recipient,
                sender=sender,
                cancellation_token=token,
                message_id=message_id,
            )
        made = MessageContext if sender is None else DirectContext
        context = made(sender, None, True, token, message_id or str(uuid.uuid4()))
        if sender is not None:
            with MessageHandlerContext.populate_context(recipient):
                return await agent.on_message(message, context)
        reply = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._handle(agent, message, context, reply))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        token.link_future(reply)
        return await reply

    async def _handle(
        self, agent: Agent, message: object, context: MessageContext, reply: asyncio.Future[Any]
    ) -> None:
        """Handle a message in a task of its own; nobody waits for that but `stop_when_idle`."""
        try:
            with MessageHandlerContext.populate_context(agent.id):
                replied = await agent.on_message(message, context)
            if self._arrived < self._queued:
                await self._catch_up()
        except BaseException as error:  # noqa: BLE001 - raised where the reply is awaited
            if not reply.done():
                reply.set_exception(error)
        else:
            if not reply.done():
                reply.set_result(replied)

    async def publish_message(
        self,
        message: Any,
        topic_id: TopicId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> None:
        """See `AgentRuntime.publish_message`."""
        if topic_id not in self._listeners:
            self._listeners[topic_id] = await self._who_hears(topic_id)
        if (listeners := self._listeners[topic_id]) is not None:
            listeners = [one for one in listeners if one.id != sender]
            if self._is_direct:
                if self._arrived < self._queued:
                    await self._catch_up()
                for listener in listeners:
                    _give(message, listener)
                return
            self._queued += len(listeners)
        await super().publish_message(
            message,
            topic_id,
            sender=sender,
            cancellation_token=cancellation_token,
            message_id=message_id,
        )

    def note_arrival(self) -> None:
        """Take note that a listener was given a message by the queue."""
        self._arrived += 1
        self._arrival.set()

    async def _catch_up(self) -> None:
        """Return once listeners were given all that was published to them before."""
        queued = self._queued
        while self._arrived < queued:
            self._arrival.clear()
            await self._arrival.wait()

    async def add_subscription(self, subscription: Subscription) -> None:
        """See `AgentRuntime.add_subscription`."""
        await super().add_subscription(subscription)
        self._subscriptions[subscription.id] = subscription
        self._listeners.clear()

    async def remove_subscription(self, id: str) -> None:
        """See `AgentRuntime.remove_subscription`."""
        await super().remove_subscription(id)
        del self._subscriptions[id]
        self._listeners.clear()

    async def stop_when_idle(self) -> None:
        """See `SingleThreadedAgentRuntime.stop_when_idle`."""
        while self._under_way:
            await asyncio.wait(self._under_way)
        await super().stop_when_idle()

    @property
    def _is_direct(self) -> bool:
        """Whether messages are delivered, and nobody reads a log of them."""
        return (
            self._run_context is not None
            and not _EVENTS.isEnabledFor(logging.INFO)
            and not _LOG.isEnabledFor(logging.INFO)
        )

    async def _who_hears(self, topic: TopicId) -> tuple[Listener, ...] | None:
        """Return the listeners to a topic; None where others hear it too."""
        agents = list[Agent | None]()
        for subscription in self._subscriptions.values():
            if subscription.is_match(topic):
                agent_id = await self.get(subscription.map_to_agent(topic), lazy=False)
                agents.append(self._instantiated_agents.get(agent_id))
        listeners = tuple(agent for agent in agents if isinstance(agent, Listener))
        return listeners if len(listeners) == len(agents) else None


def _give(message: object, listener: Listener) -> None:
    try:
        listener.take(message)
    except Exception:  # noqa: BLE001 - dropped, as the stock runtime does
        _LOG.exception("Error processing publish message for %s", listener.id)


def new_runtime() -> SingleThreadedAgentRuntime:
    """Return a runtime: a direct one, unless the environment asks for tracing.

    `AUTOGEN_DISABLE_RUNTIME_TRACING=false` asks for it.
    """
    return SingleThreadedAgentRuntime() if wants_tracing() else DirectRuntime()
