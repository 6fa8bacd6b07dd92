"""A jury as a team of AutoGen's AgentChat, and as an agent in one."""

import asyncio
from abc import abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any, Self, cast

from autogen_agentchat.base import ChatAgent, Response, TaskResult, Team
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, MultiModalMessage
from autogen_core import CancellationToken, Component, SingleThreadedAgentRuntime
from pydantic import BaseModel

from ...agents import NOT_GIVEN, Case, CaseMessage, case_of
from ...common import ConfigurationError
from ...datasets import MediaStore, Query
from ..protocol import Entry, Verdict
from ._entry_messages import JURY_MESSAGES, EntryMessages, TeamMessage, VerdictMessage
from ._gate import Gate
from ._guest import Guest
from ._hearing import Hearing, as_state, from_state

Task = str | BaseChatMessage | Sequence[BaseChatMessage]
_MOST_LEFT_OPEN = 100


class JuryComponent(BaseModel):
    """A jury as a component's configuration.

    Attributes:
        name: Its name in a team.
        description: What it is for.
        jury: Who sits on it, and how they deliberate.
    """

    name: str
    description: str
    jury: dict[str, Any]


class JuryTeam(Team, ChatAgent, Component[JuryComponent]):
    """The face that a jury shows to AutoGen: a `Team` that can sit in a team as an agent can.

    Args:
        name: The jury's name in a team.
        description: What it is for, in a sentence for those who choose who speaks.
        runtime: The runtime to be a guest on; None for one of its own.

    Raises:
        ConfigurationError: The name is none that AutoGen takes.
    """

    component_type = "team"
    component_config_schema = JuryComponent
    component_provider_override = "safejury.Jury"
    message_types = JURY_MESSAGES
    """The messages that it sends, for the `custom_message_types` of a team around it."""

    def __init__(
        self, name: str, description: str, runtime: SingleThreadedAgentRuntime | None
    ) -> None:
        if not name.isidentifier():
            raise ConfigurationError(
                f"the jury's name is {name!r}: AutoGen takes letters, digits and underscores, "
                "and no digit first"
            )
        self._name = name
        self._description = description
        self._guest = None if runtime is None else Guest(runtime, name)
        self._gate = Gate()
        self._under_way: list[Hearing] = []
        self._left_open = deque[Hearing](maxlen=_MOST_LEFT_OPEN)
        self._question: Query | None = None
        self._guests, self._entered = 0, False
        self._doors = dict[asyncio.AbstractEventLoop, asyncio.Lock]()

    @property
    def name(self) -> str:
        """The jury's name in a team."""
        return self._name

    @property
    def description(self) -> str:
        """What it is for, in a sentence."""
        return self._description

    @property
    def topic(self) -> str:
        """The topic to which it publishes its messages, on the runtime that it was given.

        Raises:
            ConfigurationError: It was given none.
        """
        if self._guest is None:
            raise ConfigurationError("the jury publishes to no topic: give it a runtime=")
        return self._guest.topic

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """What it says in a team: verdicts."""
        return (VerdictMessage,)

    async def run(
        self,
        *,
        task: Task | None = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> TaskResult:
        """Hear one case, and return all that was said; see `run_stream`."""
        stream = self.run_stream(
            task=task,
            cancellation_token=cancellation_token,
            output_task_messages=output_task_messages,
        )
        *_, result = [said async for said in stream]
        assert isinstance(result, TaskResult), "a stream ends with its result"
        return result

    async def run_stream(
        self,
        *,
        task: Task | None = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> AsyncGenerator[TeamMessage | TaskResult, None]:
        """Hear one case, and yield what is said as it is said, then the `TaskResult`.

        A jury that is not open is opened for it, and closed after it. Any number of cases may
        be heard at once. A case whose run was canceled stays open.

        Args:
            task: The case: a `CaseMessage`, the text of a response, or messages of which the
                last question and answer become the case (see `case_of`). None goes on with
                the case that was left open first.
            cancellation_token: Its cancellation ends the model calls of the case.
            output_task_messages: Whether the case itself is among the messages. A team around
                the jury, which has the messages already, says no; an answer that it gives
                without its question then belongs to the last question of its conversation.

        Raises:
            ConfigurationError: The task holds nothing to judge.
            FirstContactError: A juror's model never answered once.
            asyncio.CancelledError: The token was canceled.
        """
        heard = asyncio.Queue[Entry | None]()
        within = not output_task_messages
        work = asyncio.ensure_future(self._hear_task(task, heard.put_nowait, within=within))
        work.add_done_callback(lambda _: heard.put_nowait(None))
        if cancellation_token is not None:
            cancellation_token.link_future(work)
        told, messages = EntryMessages(self._name), list[TeamMessage]()
        try:
            while (entry := await heard.get()) is not None:
                message = told.of(entry)
                if output_task_messages or not isinstance(message, CaseMessage):
                    messages.append(message)
                    yield message
            verdict = await work
        finally:
            await _ended(work)
        yield TaskResult(messages=messages, stop_reason=f"the jury's verdict: {verdict}")

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        """Hear the last question and answer; see `run_stream`."""
        stream = self.on_messages_stream(messages, cancellation_token)
        *_, response = [said async for said in stream]
        assert isinstance(response, Response), "a stream ends with its response"
        return response

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[TeamMessage | Response, None]:
        """Hear the last question and answer, and yield what is said, then the verdict."""
        stream = self.run_stream(
            task=messages, cancellation_token=cancellation_token, output_task_messages=False
        )
        async with aclosing(stream):
            async for said in stream:
                if isinstance(said, TaskResult):
                    *inner, verdict = said.messages
                    assert isinstance(verdict, VerdictMessage), "a hearing ends with its verdict"
                    yield Response(chat_message=verdict, inner_messages=inner)
                elif not isinstance(said, VerdictMessage):
                    yield said

    async def reset(self) -> None:
        """Forget cases left open and the conversation; cases under way are heard to their end."""
        self._left_open.clear()
        self._question = None
        self._gate.open()

    async def pause(self) -> None:
        """Let nobody be asked and nothing be said until `resume`; calls under way end."""
        self._gate.shut()

    async def resume(self) -> None:
        """Go on after `pause`."""
        self._gate.open()

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Do as `reset` does."""
        await self.reset()

    async def on_pause(self, cancellation_token: CancellationToken) -> None:
        """Do as `pause` does."""
        await self.pause()

    async def on_resume(self, cancellation_token: CancellationToken) -> None:
        """Do as `resume` does."""
        await self.resume()

    async def close(self) -> None:
        """Do nothing: whoever opened the jury closes it."""

    async def save_state(self) -> Mapping[str, Any]:
        """Return the open cases of runs as plain data, each with the ballots cast in it so far.

        Kept are cases under way and cases left open, with sealed ballots too, and the last
        question of a conversation. Not kept are ballots that were lost, summings-up, the files
        of pictures, and cases that `hear` and `judge` put.
        """
        return as_state(self._identity, [*self._under_way, *self._left_open], self._question)

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over the open cases of a state: each is heard by a `run` without a task.

        What jurors have answered in them is not asked again.

        Raises:
            ConfigurationError: It is the state of something else or of another jury, or a
                case is under way.
        """
        if self._under_way:
            raise ConfigurationError("a case is under way: load a state before it, or after it")
        hearings, self._question = from_state(self._identity, state)
        self._left_open.clear()
        self._left_open.extend(hearings)

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether it was entered, and not left."""

    async def __aenter__(self) -> Self:
        async with self._door:
            if self._entered:
                raise RuntimeError("the jury sits already: leave it before it is entered again")
            if not self.is_open:  # a run may have opened it
                await self._open()
            self._entered = True
        return self

    async def __aexit__(self, *_: object) -> None:
        async with self._door:
            self._entered = False
            await self._close()

    @abstractmethod
    async def _open(self) -> None:
        """Open it; nobody opens or closes it at the same time."""

    @abstractmethod
    async def _close(self) -> None:
        """Close it, and end what is under way."""

    @property
    @abstractmethod
    def _identity(self) -> str:
        """What distinguishes it from juries whose ballots would be others."""

    @property
    @abstractmethod
    def _pictures(self) -> MediaStore:
        """Keeps the pictures of conversations while the jury is open."""

    @abstractmethod
    async def _hear_openly(self, hearing: Hearing, listen: Callable[[Entry], None]) -> Verdict:
        """Hear a case; its entries are given to a function as well."""

    @property
    def _door(self) -> asyncio.Lock:
        """Held by whoever opens or closes the jury; one of this event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._doors:
            self._doors = {loop: asyncio.Lock()}
        return self._doors[loop]

    def _sits(self) -> AbstractAsyncContextManager[None]:
        """Keep the jury open, and open it for that time where nobody did."""
        if self._entered:
            return _as_it_is()
        return self._sits_for_guests()

    @asynccontextmanager
    async def _sits_for_guests(self) -> AsyncGenerator[None, None]:
        door = self._door
        self._guests += 1
        try:
            async with door:
                if not self.is_open:
                    await self._open()
            yield
        finally:
            self._guests -= 1
            async with door:
                if self.is_open and not (self._guests or self._entered):
                    await self._close()

    async def _hear_task(
        self, task: Task | None, listen: Callable[[Entry], None], *, within: bool
    ) -> Verdict:
        async with self._sits():
            hearing = await self._hearing_of(task, within=within)
            self._under_way.append(hearing)
            try:
                return await self._hear_openly(hearing, listen)
            except asyncio.CancelledError:
                self._left_open.append(hearing)
                raise
            finally:
                self._under_way.remove(hearing)

    async def _hearing_of(self, task: Task | None, *, within: bool) -> Hearing:
        """Return the case that a task puts, as far as it was heard."""
        if task is None:
            if not self._left_open:
                raise ConfigurationError(
                    "there is no case to go on with: give task=, a CaseMessage, the text of a "
                    "response, or messages with a question and its answer"
                )
            return self._left_open.popleft()
        case = await self._case_of(task, within=within)
        for hearing in self._left_open:
            if hearing.case == case:
                self._left_open.remove(hearing)
                return hearing
        return Hearing(case)

    async def _case_of(self, task: Task, *, within: bool) -> Case:
        if isinstance(task, str):
            return case_of(task)
        messages = _messages(task)
        if any(isinstance(message, MultiModalMessage) for message in messages):
            pictures = self._pictures
            case = await asyncio.to_thread(
                lambda: case_of(messages, media=pictures, without={self._name})
            )
        else:
            case = case_of(messages, without={self._name})
        if case.query.text != NOT_GIVEN:
            self._question = case.query
        elif within and self._question is not None:
            case = replace(case, query=self._question)
        return case


def _messages(task: object) -> Sequence[TeamMessage]:
    """Return the messages of a task.

    Raises:
        ConfigurationError: It is something else.
    """
    given = cast("Sequence[object]", task if isinstance(task, Sequence) else [task])
    for message in given:
        if not isinstance(message, BaseChatMessage | BaseAgentEvent):
            raise ConfigurationError(
                f"a {type(message).__name__} is no task for a jury: give a CaseMessage, the text "
                "of a response, or messages with a question and its answer"
            )
    return cast("Sequence[TeamMessage]", given)


@asynccontextmanager
async def _as_it_is() -> AsyncGenerator[None, None]:
    yield


async def _ended(work: asyncio.Future[Verdict]) -> None:
    """Cancel work where it goes on, and return when it has ended."""
    work.cancel()
    await asyncio.wait([work])
    if not work.cancelled():
        work.exception()  # raised already where somebody waits for it
