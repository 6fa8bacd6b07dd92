"""A jury as a team of AutoGen's AgentChat, and as an agent in one."""

import asyncio
from abc import abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Self

from autogen_agentchat.base import ChatAgent, Response, TaskResult, Team
from autogen_agentchat.messages import BaseChatMessage
from autogen_core import CancellationToken, Component, SingleThreadedAgentRuntime
from pydantic import BaseModel

from ...agents import CaseMessage
from ...common import ConfigurationError
from ..protocol import Entry, Verdict
from ._entry_messages import JURY_MESSAGES, EntryMessages, TeamMessage, VerdictMessage
from ._gate import Gate
from ._guest import Guest
from ._hearing import Hearing, as_state, from_state
from ._opening import Opening
from ._task import Task, TaskReader

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
        self._runs = 0
        self._tasks = TaskReader(name)
        self._opening = Opening(self._open, self._close, lambda: self.is_open)

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
        made, messages = EntryMessages(self._name), list[TeamMessage]()
        try:
            while (entry := await heard.get()) is not None:
                message = made.of(entry)
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
        self._tasks.question = None
        self._drop_pictures()
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
        return as_state(self._identity, [*self._under_way, *self._left_open], self._tasks.question)

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over the open cases of a state: each is heard by a `run` without a task.

        What jurors have answered in them is not asked again.

        Raises:
            ConfigurationError: It is the state of something else or of another jury, or a
                case is under way.
        """
        if self._under_way:
            raise ConfigurationError("a case is under way: load a state before it, or after it")
        hearings, self._tasks.question = from_state(self._identity, state)
        self._left_open.clear()
        self._left_open.extend(hearings)

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether it was entered, and not left."""

    async def __aenter__(self) -> Self:
        await self._opening.enter()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opening.leave()

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

    @abstractmethod
    async def _hear_openly(self, hearing: Hearing, listen: Callable[[Entry], None]) -> Verdict:
        """Hear a case; its entries are given to a function as well."""

    async def _hear_task(
        self, task: Task | None, listen: Callable[[Entry], None], *, within: bool
    ) -> Verdict:
        self._runs += 1
        try:
            return await self._hear_open(task, listen, within=within)
        finally:
            self._runs -= 1
            self._drop_pictures()

    async def _hear_open(
        self, task: Task | None, listen: Callable[[Entry], None], *, within: bool
    ) -> Verdict:
        async with self._opening.kept():
            hearing = await self._hearing_of(task, within=within)
            self._under_way.append(hearing)
            try:
                return await self._hear_openly(hearing, listen)
            except asyncio.CancelledError:
                self._left_open.append(hearing)
                raise
            finally:
                self._under_way.remove(hearing)

    def _drop_pictures(self) -> None:
        """Remove the pictures of conversations that no case needs."""
        if not (self._runs or self._left_open):
            self._tasks.drop_pictures()

    async def _hearing_of(self, task: Task | None, *, within: bool) -> Hearing:
        """Return the case that a task puts, as far as it was heard."""
        if task is None:
            if not self._left_open:
                raise ConfigurationError(
                    "there is no case to go on with: give task=, a CaseMessage, the text of a "
                    "response, or messages with a question and its answer"
                )
            return self._left_open.popleft()
        case = await self._tasks.case_of(task, within=within)
        for hearing in self._left_open:
            if hearing.case == case:
                self._left_open.remove(hearing)
                return hearing
        return Hearing(case)


async def _ended(work: asyncio.Future[Verdict]) -> None:
    """Cancel work where it goes on, and return when it has ended."""
    work.cancel()
    await asyncio.wait([work])
    if not work.cancelled():
        work.exception()  # raised already where somebody waits for it
