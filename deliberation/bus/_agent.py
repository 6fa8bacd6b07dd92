"""Agents whose failures travel as replies, and that stop when their caller is canceled."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any, TypeVar

from autogen_core import AgentId, CancellationToken, MessageContext, RoutedAgent, TopicId

from ._direct_runtime import DirectContext

_T = TypeVar("_T")
TOPIC_SOURCE = "run"
FLUSH = object()
"""Message: there is nothing to do. Its reply says that all sent before it has begun."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where an agent is on the bus.

    Attributes:
        kind: What it was registered as.
        key: Which one of that kind.
    """

    kind: str
    key: str


@dataclass(frozen=True, slots=True, repr=False)
class Failure:
    """A reply: the agent failed with this error."""

    error: Exception


_numbers = count(1)


def new_message_id() -> str:
    """Return an id for a message, unique in this process: AutoGen's own are dearer."""
    return f"safejury-{next(_numbers)}"


# Both names are checked by a regular expression: kept, as a jury has few of them.
agent_id = lru_cache(AgentId)


@lru_cache
def _topic(name: str) -> TopicId:
    return TopicId(name, TOPIC_SOURCE)


class Line:
    """How whoever handles a message reaches others: what it asks ends with its own caller."""

    def __init__(self, agent: RoutedAgent, token: CancellationToken) -> None:
        self._agent = agent
        self._token = token

    async def ask(self, message: object, whom: Address, kind: type[_T]) -> _T:
        """Return another agent's reply.

        Args:
            message: What it is asked.
            whom: The agent.
            kind: Type of its reply.

        Raises:
            Exception: The other agent's own failure.
        """
        reply: object = await self._agent.send_message(
            message,
            agent_id(whom.kind, whom.key),
            cancellation_token=self._token,
            message_id=new_message_id(),
        )
        return reply_or_raise(reply, kind)

    async def publish(self, message: object, topic: str) -> None:
        """Publish a message to whoever listens to a topic."""
        await self._agent.runtime.publish_message(
            message,
            _topic(topic),
            sender=self._agent.id,
            message_id=new_message_id(),
        )


Handler = Callable[[Any, Line], Awaitable[object]]
"""Answers a message."""


class StatelessAgent(RoutedAgent):
    """An agent that has no part in the state of a runtime."""

    async def save_state(self) -> Mapping[str, Any]:
        """Return no state."""
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Do nothing."""


class BusAgent(StatelessAgent):
    """An agent that replies to every message, and stops when its caller is canceled.

    The runtime loses count of its messages when a handler fails for a caller that
    was canceled meanwhile, and is then never idle again: so no failure reaches it.
    Nor does it cancel a handler whose message was canceled. What a handler returns is
    written into a log line by the runtime: its `str` must hold no words of a case.

    Attributes:
        at_work: Where it enters the tasks in which it handles messages; None enters none.
    """

    at_work: set[asyncio.Task[Any]] | None = None

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any:
        """Handle a message in the task that the runtime made for it, or in its sender's."""
        if message is FLUSH:
            return None
        if not isinstance(ctx, DirectContext):
            self._enter_task(ctx.cancellation_token)
        try:
            return await super().on_message_impl(message, ctx)
        except Exception as error:  # noqa: BLE001 - raised again by `reply_or_raise`
            return Failure(error)

    def _enter_task(self, token: CancellationToken) -> None:
        """Let a token cancel the task that the runtime made for a message."""
        task = asyncio.current_task()
        assert task is not None
        if self.at_work is not None:
            self.at_work.add(task)
            task.add_done_callback(self.at_work.discard)
        token.link_future(task)


class _Routed(RoutedAgent):
    def __init__(self, handle: Handler, description: str) -> None:
        super().__init__(description)
        self._handle = handle

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any:
        return await self._handle(message, Line(self, ctx.cancellation_token))


class HandlerAgent(BusAgent, _Routed):
    """An agent that answers its messages by a function.

    Args:
        handle: The function.
        description: What the agent does.
    """


def reply_or_raise(reply: object, kind: type[_T]) -> _T:
    """Return what an agent replied.

    Raises:
        Exception: The agent's own failure.
    """
    if isinstance(reply, Failure):
        raise reply.error
    assert isinstance(reply, kind), f"{type(reply).__name__} where {kind.__name__} was due"
    return reply
