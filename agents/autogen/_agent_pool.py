"""Keeps the agents of a seat: one for each request under way."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from autogen_agentchat.base import ChatAgent
from autogen_core import CancellationToken
from autogen_core.tools import Workbench

from ...common import ConfigurationError, RequestError
from ...models import (
    AgentError,
    AgentWork,
    ChatModel,
    ChatRequest,
    Completion,
    Modality,
    takes_tools,
)
from ._agent_factory import AgentFactory, AnyAgent, parts_of, workbenches_of
from ._agent_hearing import Hearing
from .client import AgentChatClient

_LONGEST_CLOSE_S = 5.0


class HearingModel:
    """A model of the run for one agent: its calls belong to the request that it works on."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.hearing: Hearing | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def modalities(self) -> frozenset[Modality]:
        """What the model takes of what an agent can send: words and pictures."""
        return self._model.modalities & {"text", "image"}

    @property
    def takes_tools(self) -> bool:
        """Whether its agents may call tools."""
        return takes_tools(self._model)

    async def complete(self, request: ChatRequest) -> Completion:
        """Make a call for the request that the agent works on; errors are the model's.

        Raises:
            RequestError: It works on none.
        """
        if self.hearing is None:
            raise RequestError("the agent calls its model before it is asked", unsent=True)
        return await self.hearing.complete(self._model, request)

    async def aclose(self) -> None:
        """Do nothing: the model is the run's."""


@dataclass(slots=True)
class Member:
    """An agent of a pool.

    Attributes:
        agent: The agent, or team.
        model: The run's model that it calls; None where its calls are its own.
        is_fresh: Whether it has not been asked yet.
        failed: Whether it must not be asked again.
    """

    agent: AnyAgent
    model: HearingModel | None = None
    is_fresh: bool = True
    failed: bool = False

    async def reset(self, token: CancellationToken) -> None:
        """Let it forget all that it heard before."""
        if self.is_fresh:
            self.is_fresh = False
        elif isinstance(self.agent, ChatAgent):
            await self.agent.on_reset(token)
        else:
            await self.agent.reset()


class FactoryPool:
    """Agents of a factory, made when all others are taken.

    There are never more than requests under way. One that failed or was stopped is dropped.

    Args:
        factory: Makes them.
        client: Makes the client of one, and the model behind it; None where they bring their own.
    """

    def __init__(
        self,
        factory: AgentFactory,
        client: Callable[[], tuple[AgentChatClient, HearingModel]] | None = None,
    ) -> None:
        self._factory = factory
        self._client = client
        self._free: list[Member] = []
        self._taken: list[AnyAgent] = []

    @asynccontextmanager
    async def member(self) -> AsyncGenerator[Member]:
        """Take an agent, and give it back.

        Raises:
            AgentError: None could be made.
            ConfigurationError: One that is taken was made again.
        """
        member = self._free.pop() if self._free else self._new()
        self._taken.append(member.agent)
        try:
            yield member
        finally:
            self._taken = [one for one in self._taken if one is not member.agent]
            if member.failed:
                others = (*self._taken, *(one.agent for one in self._free))
                kept = {
                    bench
                    for one in others
                    for part in parts_of(one)
                    for bench in workbenches_of(part)
                }
                await close(member.agent, kept)
            else:
                self._free.append(member)

    def begin(self) -> None:
        """Make one agent beforehand, for a failure to be known before it is needed.

        Raises:
            ConfigurationError: It cannot be made.
        """
        try:
            self._free.append(self._new())
        except AgentError as error:
            raise ConfigurationError(str(error)) from error

    async def aclose(self) -> None:
        """Close the agents."""
        while self._free:
            await close(self._free.pop().agent)

    def _new(self) -> Member:
        client, model = (None, None) if self._client is None else self._client()
        try:
            agent = self._factory.new(client)
        except ConfigurationError as error:  # it was made before: so it may be made again
            raise AgentError(str(error), AgentWork(), unsent=True) from error
        known = (*self._taken, *(one.agent for one in self._free))
        if any(agent is one for one in known):
            raise ConfigurationError(
                f"the agent {self._factory.place!r} was made once for several cases: return a new "
                "one at each call"
            )
        return Member(agent, model)


class LoneAgent:
    """A pool of one agent, which is its owner's: it hears one request at a time."""

    def __init__(self, agent: AnyAgent) -> None:
        self._agent = agent
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def member(self) -> AsyncGenerator[Member]:
        """Wait for the agent, and take it."""
        async with self._one_at_a_time:
            yield Member(self._agent, is_fresh=False)

    async def aclose(self) -> None:
        """Do nothing: the agent is its owner's."""


async def close(agent: AnyAgent, kept: AbstractSet[Workbench] = frozenset()) -> None:
    """Close an agent, or those of a team, whatever they do at that, within a few seconds.

    What they started for their tools ends as well, such as a server of MCP.

    Args:
        agent: The agent.
        kept: Workbenches that others use.
    """
    with suppress(Exception):
        async with asyncio.timeout(_LONGEST_CLOSE_S):
            for part in parts_of(agent):
                if isinstance(part, ChatAgent):
                    await part.close()
                for bench in workbenches_of(part) - kept:
                    await bench.stop()
