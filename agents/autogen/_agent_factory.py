"""Checks the function that makes the agents of a seat, and calls it."""

import inspect
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self, cast

from autogen_agentchat.base import ChatAgent, Team, TerminationCondition
from autogen_agentchat.messages import (
    BaseChatMessage,
    BaseTextChatMessage,
    HandoffMessage,
    MultiModalMessage,
    StructuredMessage,
    ToolCallSummaryMessage,
)
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat, Swarm
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core.model_context import ChatCompletionContext
from autogen_core.models import ChatCompletionClient
from autogen_core.tools import StaticWorkbench, Workbench

from ...common import ConfigurationError, RequestError
from ...common.text import quoted, short
from ...models import ChatRequest, Completion, Modality, redactor
from ...targets import function_identity
from ._agent_secrets import hide_secrets
from ._any_agent import AnyAgent
from ._framework_agent import FrameworkAgent
from ._messages import BallotMessage
from .client import AgentChatClient

Opened = ChatCompletionClient | Workbench
"""What an agent holds that may have connections or processes open."""
_LIMITLESS = (RoundRobinGroupChat, SelectorGroupChat, Swarm)
"""Teams that go on until a condition ends them."""
_SEAT_NAME = re.compile(r"[A-Za-z]\w{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AgentFactory:
    """A function that makes an agent or a team for a seat, anew at each call.

    Attributes:
        make: The function. It takes nothing, or one argument: a model client whose calls are
            made through the run's models.
        place: Where it is, such as `my_module:make_juror`.
        sha256: Hash of its source.
        takes_client: Whether it needs a client.
        may_take_client: Whether it takes a client where there is one.
        name: What its agents are called; of teams, and where that is no name, what it is.
        sees: Whether a client of theirs takes pictures; None where none was found.
        shared: What all of its agents use: clients and workbenches, or what these close.
    """

    make: Callable[..., object] = field(repr=False)
    place: str
    sha256: str
    takes_client: bool
    may_take_client: bool
    name: str
    sees: bool | None
    shared: tuple[object, ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def of(cls, make: object, shown: str | None = None) -> Self:
        """Return a factory that was tried: it made two agents that share nothing.

        Args:
            make: The function.
            shown: How the user wrote it, None for one that was given.

        Raises:
            ConfigurationError: What it makes cannot serve; says why.
        """
        if not callable(make) or isinstance(make, AnyAgent):
            raise ConfigurationError(
                f"the agent {quoted(shown or repr(make))} is no function that makes one: write "
                "`def make(): return …`"
            )
        identity = function_identity(make)
        what = f"the agent {quoted(shown or identity['function'])}"
        takes_client, may_take_client = _takes_client(make, what)
        made = [_made(make, _trial_client() if takes_client else None, what) for _ in range(2)]
        with _blamed(f"{what} cannot serve"):
            one, other = ([*parts_of(each)] for each in made)
            if any(part is its for part in one for its in other):
                raise ConfigurationError(
                    f"{what} shares one object between all that it makes, and each case needs an "
                    "agent of its own: make all of it within the function"
                )
            hide_secrets_of(made[0])
            _check(made[0], one, what)
            name = made[0].name if isinstance(made[0], ChatAgent) else identity["function"]
            name = re.split("[:.]", name)[-1]
            return cls(
                make,
                identity["function"],
                identity["sha256"],
                takes_client,
                may_take_client,
                name if _SEAT_NAME.fullmatch(name) else "agent",
                sees_pictures(made[0]),
                tuple(each for each in _used_by(made[0]) if _among(each, _used_by(made[1]))),
            )

    @property
    def identity(self) -> dict[str, str]:
        """By what a run knows it: where it is, and a hash of its source."""
        return {"function": self.place, "sha256": self.sha256}

    def new(self, client: ChatCompletionClient | None) -> AnyAgent:
        """Make an agent.

        Raises:
            ConfigurationError: The function fails, or returns no agent.
        """
        return _made(self.make, client, f"the agent {quoted(self.place)}")


def _takes_client(make: Callable[..., object], what: str) -> tuple[bool, bool]:
    """Return whether a function needs a client, and whether it takes one."""
    if inspect.iscoroutinefunction(make):
        raise ConfigurationError(f"{what} is made by an async function: write a plain one")
    try:
        signature = inspect.signature(make)
    except (TypeError, ValueError):
        return False, False
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    named = [one for one in signature.parameters.values() if one.kind in places]
    wanted = [one for one in signature.parameters.values() if one.default is one.empty]
    needed = [one for one in named if one in wanted]
    if len(needed) > 1 or any(one.kind is one.KEYWORD_ONLY for one in wanted):
        raise ConfigurationError(
            f"{what} is made by a function of several arguments: it may take one, a model client, "
            "or none"
        )
    return bool(needed), len(named) == 1 or bool(needed)


@contextmanager
def _blamed(what: str) -> Generator[None]:
    """Turn what a user's code raises into an error that says what went wrong."""
    try:
        yield
    except ConfigurationError:
        raise
    except (Exception, SystemExit) as error:
        said = redactor.redact(f"{type(error).__name__}: {error}")
        raise ConfigurationError(f"{what}: {short(said)}") from error


def _made(make: Callable[..., object], client: ChatCompletionClient | None, what: str) -> AnyAgent:
    with _blamed(f"{what} could not be made"):
        made = make() if client is None else make(client)
    if not isinstance(made, AnyAgent) and FrameworkAgent.fits(made):
        return FrameworkAgent(made)
    if not isinstance(made, AnyAgent):
        given = "None" if made is None else f"a value of type {type(made).__name__}"
        if inspect.iscoroutine(made):
            made.close()
        raise ConfigurationError(
            f"{what} is made by a function that returned {given}, and no AgentChat agent or team"
        )
    return made


def parts_of(part: object) -> Iterator[object]:
    """Yield an agent and what it holds that has a state: agents, teams, contexts, conditions.

    Each comes once, also where agents hold each other.
    """
    found, known = [part], {id(part)}
    while found:
        yield (one := found.pop(0))
        if isinstance(one, ChatCompletionContext | TerminationCondition):
            continue
        more = [each for each in _inner(one) if id(each) not in known]
        known.update(map(id, more))
        found += more


def _inner(part: object) -> Iterator[object]:
    """Yield the parts that an agent or a team holds itself, those in its tools among them."""
    if isinstance(part, FrameworkAgent):
        yield part.model.agent
    for one in _held_by(part):
        if isinstance(one, ChatAgent | Team | ChatCompletionContext | TerminationCondition):
            yield one
        elif isinstance(one, StaticWorkbench):
            for tool in _held_by(one):
                if isinstance(tool, AgentTool | TeamTool):
                    yield from _inner(tool)


def tools_of(agent: AnyAgent) -> list[Opened]:
    """Return the clients and workbenches of an agent, or of those of a team."""
    held = (one for part in parts_of(agent) for one in _held_by(part))
    return [one for one in held if isinstance(one, Opened)]


def is_shared(one: Opened, shared: tuple[object, ...]) -> bool:
    """Return whether a client or a workbench, or what it closes, is one that others use."""
    return bool(shared) and any(_among(each, shared) for each in _closed_by(one))


def _used_by(made: AnyAgent) -> list[object]:
    return [each for one in tools_of(made) for each in _closed_by(one)]


def _closed_by(one: object, depth: int = 3) -> Iterator[object]:
    """Yield what closing something may close: itself, and a connection that it holds."""
    yield one
    for held in _held_by(one) if depth else ():
        if not isinstance(held, type) and (hasattr(held, "aclose") or hasattr(held, "close")):
            yield from _closed_by(held, depth - 1)


def _among(one: object, others: Iterable[object]) -> bool:
    return any(one is other for other in others)


def hide_secrets_of(agent: AnyAgent) -> None:
    """Redact from now on the secrets of an agent's clients and workbenches, or of a team's."""
    hide_secrets(tools_of(agent))


def _held_by(part: object) -> Iterator[object]:
    """Yield what an object has as attributes, and in lists that it has."""
    for value in cast("dict[str, object]", getattr(part, "__dict__", {})).values():
        yield from cast("list[object]", value) if isinstance(value, list) else [value]


def _check(made: AnyAgent, parts: list[object], what: str) -> None:
    agents = [part for part in parts if isinstance(part, ChatAgent)]
    if agents and not any(_has_words(agent) for agent in agents):
        kinds = ", ".join(
            getattr(kind, "__name__", str(kind)) for kind in agents[0].produced_message_types
        )
        raise ConfigurationError(
            f"{what} cannot say anything: it produces {kinds or 'no messages'}, and a juror "
            "answers in words or in a StructuredMessage"
        )
    for team in parts:
        limits = vars(team) if isinstance(team, _LIMITLESS) else {"_max_turns": 1}
        if limits.get("_max_turns") is None and limits.get("_termination_condition") is None:
            raise ConfigurationError(
                f"{what} is a team that never ends: give it max_turns or a termination_condition"
            )


def _has_words(agent: ChatAgent) -> bool:
    kinds = (BaseTextChatMessage, StructuredMessage, MultiModalMessage, BallotMessage)
    others = (HandoffMessage, ToolCallSummaryMessage)
    for kind in agent.produced_message_types:
        own: Any = getattr(kind, "__origin__", kind)  # or of a union, which may be words
        if not isinstance(own, type) or own is BaseChatMessage:
            return True
        if issubclass(own, kinds) and not issubclass(own, others):
            return True
    return False


def sees_pictures(agent: AnyAgent) -> bool | None:
    """Return whether a model client of an agent or a team takes pictures; None without one."""
    clients = [
        value
        for part in parts_of(agent)
        for value in _held_by(part)
        if isinstance(value, ChatCompletionClient)
    ]
    others = [part for part in parts_of(agent) if isinstance(part, FrameworkAgent)]
    if not clients and not others:
        return None
    return any("image" in one.model.modalities for one in others) or any(
        bool(client.model_info.get("vision")) for client in clients
    )


class _Unasked:
    """Stands for a model while a factory is tried."""

    name = "none"
    modalities: frozenset[Modality] = frozenset({"text", "image"})
    takes_tools = True

    async def complete(self, request: ChatRequest) -> Completion:
        raise RequestError("nothing is asked while a factory is tried", unsent=True)

    async def aclose(self) -> None:
        """Do nothing: nothing is open."""


def _trial_client() -> ChatCompletionClient:
    return AgentChatClient(_Unasked())
