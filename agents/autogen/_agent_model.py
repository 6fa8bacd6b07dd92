"""Presents AgentChat agents and teams as a chat model."""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Protocol, Self

from autogen_agentchat.messages import BaseChatMessage, MultiModalMessage, TextMessage
from autogen_core import CancellationToken
from pydantic import ValidationError

from ...common import ModelError, SafejuryError
from ...common.text import short
from ...models import (
    AgentError,
    ChatMessage,
    ChatModel,
    ChatRequest,
    Completion,
    ImagePart,
    Modality,
    Sampling,
    redactor,
)
from ..ballot import TEXT_ONLY, in_words
from ._agent_factory import AgentFactory, hide_secrets_of, sees_pictures
from ._agent_hearing import Hearing, Stopped
from ._agent_pool import FactoryPool, HearingModel, LoneAgent, Member
from ._any_agent import AnyAgent
from ._evidence_image import EvidenceImage
from ._messages import FOREPERSON
from .client import AgentChatClient

ANSWER_TIMEOUT_S = 600.0
"""Seconds that an agent has for an answer, unless it is told otherwise."""
_OWN_WORDS = (
    "Now answer in words of your own, as you were asked to; what a tool returned is no answer."
)
_SEEING: frozenset[Modality] = frozenset({"text", "image"})
_GRACE_S = 1.0
_LEAST_WAIT_S = 0.05

for _name in ("autogen_core", "autogen_agentchat"):
    # A team logs its errors, which are outcomes here; where nobody listens to the log, Python
    # would write them to standard error, with all their words.
    logging.getLogger(_name).addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class AgentClient:
    """What the clients are like that the agents of a seat are given.

    Attributes:
        model: A model of the run, which they call.
        sampling: How words are drawn.
        seed: Seed for models that take one.
        max_tokens: Cap on the tokens of each reply.
    """

    model: ChatModel
    sampling: Sampling = Sampling()
    seed: int | None = None
    max_tokens: int | None = None

    @property
    def sees(self) -> bool:
        """Whether the model takes pictures."""
        return "image" in self.model.modalities

    def new(self) -> tuple[AgentChatClient, HearingModel]:
        """Make a client, and return it with the model behind it."""
        own = HearingModel(self.model)
        client = AgentChatClient(
            own, sampling=self.sampling, seed=self.seed, max_tokens=self.max_tokens
        )
        return client, own


class _Pool(Protocol):
    def member(self) -> AbstractAsyncContextManager[Member]: ...

    async def aclose(self) -> None: ...


class AgentModel:
    """Answers chat requests by agents: one of a factory for each request.

    A request carries all that an agent needs. It
    reads what was said so far as messages, with the pictures where it takes them, and answers
    in words or in a `StructuredMessage`. What it reports of its calls is the reply's usage,
    unless it calls a model of the run, see `of`.

    Args:
        name: Identifies what answers; part of a journal's keys.
        pool: The agents.
        sees: Whether they take pictures.
        pays: Whether their calls are none of the run's models.
        timeout: Seconds for one answer, without the time in calls of the run's models.
    """

    def __init__(
        self,
        name: str,
        pool: _Pool,
        *,
        sees: bool = False,
        pays: bool = True,
        timeout: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self.name = name
        self.modalities = _SEEING if sees else TEXT_ONLY
        self._pool = pool
        self._pays = pays
        self._timeout = timeout

    @classmethod
    def of(
        cls,
        factory: AgentFactory,
        *,
        client: "AgentClient | None" = None,
        sees: bool | None = None,
        timeout: float | None = None,
        begin: bool = False,
    ) -> Self:
        """Return the agents of a factory.

        Args:
            factory: Makes them.
            client: The client that each is given; None where they bring their own.
            sees: Whether they take pictures; None takes it from their clients.
            timeout: Seconds for one answer; None is ten minutes.
            begin: Whether the first is made at once: with this client, which may take no
                tools or pictures, that may fail although the factory was tried.

        Raises:
            ConfigurationError: It cannot be made.
        """
        pool = FactoryPool(factory, None if client is None else client.new)
        if begin:
            pool.begin()
        return cls(
            f"agent {factory.place} {factory.sha256[:16]}",
            pool,
            sees=client.sees if client else bool(factory.sees if sees is None else sees),
            pays=client is None,
            timeout=timeout or ANSWER_TIMEOUT_S,
        )

    @classmethod
    def alone(cls, agent: AnyAgent, *, timeout: float = ANSWER_TIMEOUT_S) -> Self:
        """Return one agent, which hears one request at a time."""
        hide_secrets_of(agent)
        return cls(
            f"agent {agent.name}",
            LoneAgent(agent),
            sees=bool(sees_pictures(agent)),
            timeout=timeout,
        )

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the agent's words.

        Raises:
            AgentError: It failed, or went on for too long.
            ConfigurationError: A model that it called never answered once, or must be changed.
            SafejuryError: What a model of the run raised for it.
        """
        started = time.perf_counter()
        hearing = Hearing(request.call_id)
        async with self._pool.member() as member:
            await self._ask(member, hearing, request)
        return hearing.completion(pays=self._pays, seconds=time.perf_counter() - started)

    async def aclose(self) -> None:
        """Close the agents."""
        await self._pool.aclose()

    async def _ask(self, member: Member, hearing: Hearing, request: ChatRequest) -> None:
        token = CancellationToken()
        if member.model is not None:
            member.model.hearing = hearing
        task = asyncio.ensure_future(self._converse(member, hearing, request, token))
        try:
            await self._until(task, hearing)
        finally:
            if member.model is not None:
                member.model.hearing = None
            if not task.done():
                await _end(task, token)
        self._check(task, hearing)

    async def _until(self, task: asyncio.Future[None], hearing: Hearing) -> None:
        """Wait for an answer until the agent's own time is over.

        Raises:
            AgentError: It is.
        """
        began = time.monotonic()
        while not task.done():
            left = self._timeout - (time.monotonic() - began - hearing.in_calls())
            if left <= 0:
                said = f"the agent gave no answer within {self._timeout:g} s (timeout)"
                raise self._failure(said, hearing)
            await asyncio.wait({task}, timeout=max(left, _LEAST_WAIT_S))

    async def _converse(
        self, member: Member, hearing: Hearing, request: ChatRequest, token: CancellationToken
    ) -> None:
        await member.reset(token)
        messages = _messages(request.messages, member.agent.name)
        await _run(member.agent, messages, hearing, token)
        if hearing.message is not None and not hearing.has_own_words:
            await _run(member.agent, [_text(_OWN_WORDS)], hearing, token)

    def _check(self, task: asyncio.Future[None], hearing: Hearing) -> None:
        """Raise what an agent failed with; what a model of the run raised comes first.

        A team turns every error into a text, and a tool may swallow one.
        """
        error = None if task.cancelled() else task.exception()
        for raised in hearing.errors:
            if not isinstance(raised, ModelError):
                raise raised
        if task.cancelled():
            raise self._failure("the agent was canceled by something within it", hearing)
        if error is None:
            return
        if isinstance(error, ValidationError) and hearing.message is None and hearing.last:
            hearing.message = _text(hearing.last.text)  # its words do not fit its own schema
            return
        if hearing.errors:
            error = hearing.errors[-1]
        if isinstance(error, ModelError):
            raise self._failure(str(error), hearing, error) from error
        if isinstance(error, SafejuryError):
            raise error
        raise self._failure(_said(error), hearing) from error

    def _failure(self, said: str, hearing: Hearing, cause: ModelError | None = None) -> AgentError:
        work = hearing.failed_work(pays=self._pays)
        return AgentError(redactor.redact(short(said)), work, cause=cause)


async def _run(
    agent: AnyAgent, messages: list[BaseChatMessage], hearing: Hearing, token: CancellationToken
) -> None:
    stream = agent.run_stream(task=messages, cancellation_token=token, output_task_messages=False)
    try:
        async for said in stream:
            hearing.hear(said)
    except SystemExit as error:  # else it would end the loop
        raise RuntimeError(f"SystemExit: {error}") from None


def _said(error: BaseException) -> str:
    """Return what an agent's error says; a team's is the text of another, and its traceback."""
    if isinstance(error, Stopped):
        return str(error)
    said, of_a_team, _ = str(error).partition("\nTraceback:\n")
    return said if of_a_team else f"{type(error).__name__}: {said}"


async def _end(task: asyncio.Future[None], token: CancellationToken) -> None:
    """End what an agent does; one that heeds neither its token nor its task is left alone."""
    token.cancel()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.wait({task}, timeout=_GRACE_S)
    if task.done() and not task.cancelled():
        task.exception()  # or it would be logged as never looked at
    else:
        task.add_done_callback(_looked_at)


def _looked_at(task: asyncio.Future[None]) -> None:
    if not task.cancelled():
        task.exception()


def _messages(said: Sequence[ChatMessage], own_name: str) -> list[BaseChatMessage]:
    """Return a juror's prompt, and what was said after it, as messages of a conversation."""
    until = next((n for n, one in enumerate(said) if one.role == "assistant"), len(said))
    first, later = said[:until], said[until:]
    words = in_words(tuple(first))
    images = [
        EvidenceImage(part.media)
        for one in first
        for part in one.parts
        if isinstance(part, ImagePart)
    ]
    prompt = (
        MultiModalMessage(content=[*images, words], source=FOREPERSON) if images else _text(words)
    )
    return [
        prompt,
        *(
            _text(in_words((one,)), own_name if one.role == "assistant" else FOREPERSON)
            for one in later
        ),
    ]


def _text(words: str, source: str = FOREPERSON) -> TextMessage:
    return TextMessage(content=words, source=source)
