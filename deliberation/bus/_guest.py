"""Uses a runtime that somebody else brought, beside what else is on it."""

import asyncio
import uuid
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar, cast

from autogen_core import SingleThreadedAgentRuntime, TopicId

from ...common import ConfigurationError

_T = TypeVar("_T")
AgentRuntime = SingleThreadedAgentRuntime
"""The runtimes that a jury can be given."""


class Guest:
    """Names the agents and topics of one jury on a runtime that it shares.

    Args:
        runtime: The runtime.
        name: Begins all names on it.

    Attributes:
        runtime: The runtime.
        source: The name.
        topic: What it says to others is published to this topic, with the name as its source.
    """

    def __init__(self, runtime: AgentRuntime, name: str) -> None:
        self.runtime = runtime
        self.source = name
        self._prefix = f"{name}_{uuid.uuid4().hex[:8]}"
        self.topic = f"{self._prefix}.transcript"
        self._openings = 0

    def next_prefix(self) -> str:
        """Return how names of the next opening begin: a kind is registered once for ever."""
        self._openings += 1
        return f"{self._prefix}.{self._openings}"

    async def publish(self, message: object) -> None:
        """Say something to others."""
        # Without a sender: the runtime would look for one that may have left by then.
        await self.runtime.publish_message(message, TopicId(self.topic, self.source))


def is_started(runtime: AgentRuntime) -> bool:
    """Return whether a runtime delivers messages; where a release does not say, it does."""
    context = getattr(runtime, "_run_context", runtime)
    delivering = _delivering(context)
    return context is not None and (delivering is None or not delivering.done())


async def unless_stopped(runtime: AgentRuntime, reply: Coroutine[Any, Any, _T]) -> _T:
    """Await a reply, which would never come from a runtime that has stopped.

    Raises:
        ConfigurationError: The runtime has stopped, or has failed.
    """
    asked = asyncio.ensure_future(reply)
    delivering = _delivering(getattr(runtime, "_run_context", None))
    try:
        await asyncio.wait(
            [asked] if delivering is None else [asked, delivering],
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not asked.done():
            raise ConfigurationError(
                "the runtime that the jury was given has stopped, so that no reply will come: an "
                "agent on it has failed, or somebody stopped it"
            )
        return asked.result()
    finally:
        asked.cancel()


def _delivering(context: object) -> "asyncio.Future[Any] | None":
    """Return the task that delivers a runtime's messages; None where a release has none."""
    return cast("asyncio.Future[Any] | None", getattr(context, "_run_task", None))


def take_off(runtime: AgentRuntime, kinds: Iterable[str]) -> None:
    """Take agents off a runtime, so that it does not keep them for ever.

    AutoGen has no public way. Should a later release rename the two names, they stay there.
    """
    gone = set(kinds)
    factories: dict[str, Any] = getattr(runtime, "_agent_factories", {})
    agents: dict[Any, Any] = getattr(runtime, "_instantiated_agents", {})
    for kind in gone:
        factories.pop(kind, None)
    for agent_id in [agent_id for agent_id in agents if agent_id.type in gone]:
        del agents[agent_id]
