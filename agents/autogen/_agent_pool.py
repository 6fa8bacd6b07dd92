"""Keeps the agents of a seat: one for each request."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from weakref import WeakValueDictionary

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
from ._agent_factory import AgentFactory, Opened, is_shared, parts_of, tools_of
from ._agent_hearing import Hearing
from ._any_agent import AnyAgent
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
        is_new: Whether it has not been asked yet.
    """

    agent: AnyAgent
    model: HearingModel | None = None
    is_new: bool = True

    async def reset(self, token: CancellationToken) -> None:
        """Let it forget all that it heard before."""
        if self.is_new:
            self.is_new = False
        elif isinstance(self.agent, ChatAgent):
            await self.agent.on_reset(token)
        else:
            await self.agent.reset()


class FactoryPool:
    """Agents of a factory: each is made for one request, and closed after it.

    None is asked twice: what its tools noted, or an agent that is a tool heard, outlives a
    reset, and so one case would reach the ballots of another.

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
        self._waiting: list[Member] = []
        self._known = WeakValueDictionary[int, AnyAgent]()

    @asynccontextmanager
    async def member(self) -> AsyncGenerator[Member]:
        """Make an agent, and close it in the end.

        Raises:
            AgentError: None could be made.
            ConfigurationError: One that was made before was made again.
        """
        member = self._waiting.pop() if self._waiting else self._new()
        try:
            yield member
        finally:
            await close(member.agent, self._factory.shared)

    def begin(self) -> None:
        """Make one agent beforehand, for a failure to be known before it is needed.

        Raises:
            ConfigurationError: It cannot be made.
        """
        try:
            self._waiting.append(self._new())
        except AgentError as error:
            raise ConfigurationError(str(error)) from error

    async def aclose(self) -> None:
        """Close the agents, and stop what they shared."""
        while self._waiting:
            await close(self._waiting.pop().agent, self._factory.shared)
        await _end(one.stop for one in self._factory.shared if isinstance(one, Workbench))

    def _new(self) -> Member:
        client, model = (None, None) if self._client is None else self._client()
        try:
            agent = self._factory.new(client)
        except ConfigurationError as error:  # it was made before: so it may be made again
            raise AgentError(str(error), AgentWork(), unsent=True) from error
        if self._known.get(id(agent)) is agent:
            raise ConfigurationError(
                f"the agent {self._factory.place!r} was made once for several cases: return a new "
                "one at each call"
            )
        self._known[id(agent)] = agent
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
            yield Member(self._agent, is_new=False)

    async def aclose(self) -> None:
        """Do nothing: the agent is its owner's."""


async def close(agent: AnyAgent, shared: tuple[object, ...] = ()) -> None:
    """Close an agent, or those of a team, whatever they do at that, within a few seconds.

    Its clients are closed, and what it started for its tools ends, such as a server of MCP.

    Args:
        agent: The agent.
        shared: What others use as well.
    """
    own = [one for one in tools_of(agent) if not is_shared(one, shared)]
    parts = [part for part in parts_of(agent) if isinstance(part, ChatAgent)]
    await _end([*(part.close for part in parts), *map(_ending, own)])


def _ending(one: Opened) -> Callable[[], Awaitable[None]]:
    return one.stop if isinstance(one, Workbench) else one.close


async def _end(endings: Iterable[Callable[[], Awaitable[None]]]) -> None:
    with suppress(Exception):
        async with asyncio.timeout(_LONGEST_CLOSE_S):
            for end in endings:
                with suppress(Exception):
                    await end()
