"""Follows an agent while it works on a request: its calls, tools, words and time."""

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import cast

from autogen_agentchat.base import TaskResult
from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    BaseTextChatMessage,
    HandoffMessage,
    ModelClientStreamingChunkEvent,
    MultiModalMessage,
    StructuredMessage,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
    ToolCallSummaryMessage,
)
from pydantic import BaseModel

from ...common import ModelError, RequestError, SafejuryError
from ...common.text import storable
from ...models import (
    AgentWork,
    ChatModel,
    ChatRequest,
    Completion,
    ToolUse,
    Usage,
    redactor,
    without_keys,
)
from ..ballot import CallMeter

MOST_TOOL_CALLS = 50
"""Calls of tools on the way to one answer, after which an agent is stopped."""
MOST_MODEL_CALLS = 100
"""Calls of models on the way to one answer, after which an agent is stopped."""
MOST_PIECES = 200_000
"""Pieces of words that are streamed on the way to one answer, after which an agent is stopped."""
MOST_MESSAGES = 500
"""Messages on the way to one answer, after which an agent is stopped."""
_TOOLS_KEPT = 20
_ARGUMENTS_KEPT, _RESULT_KEPT, _NAME_KEPT = 400, 800, 80
_WORDS_KEPT = 100_000


class Stopped(Exception):
    """An agent goes on without an answer; says why it is stopped."""


@dataclass(slots=True)
class Hearing:
    """One request, while an agent works on it.

    Attributes:
        call_id: The request's, with which the ids of the agent's own calls begin.
        meter: What its calls of the run's models took.
        last: What such a call returned last.
        errors: Those of such calls.
        message: What it said last.
        problem: Why it ended without a message, as far as it is known.
    """

    call_id: str
    meter: CallMeter = field(default_factory=CallMeter)
    last: Completion | None = None
    errors: list[SafejuryError] = field(default_factory=list[SafejuryError])
    message: BaseChatMessage | None = None
    problem: str = "it stopped without a message"
    _usage: Usage | None = None
    _reported: int = 0
    _said: int = 0
    _pieces: int = 0
    _model_calls: int = 0
    _same: Counter[str] = field(default_factory=Counter[str])
    _tools: list[ToolUse] = field(default_factory=list[ToolUse])
    _asked: list[str] = field(default_factory=list[str])
    _in_calls: int = 0
    _in_calls_before: float = 0.0
    _since: float = 0.0

    async def complete(self, model: ChatModel, request: ChatRequest) -> Completion:
        """Make a call of the agent to a model of the run, under an id of its own.

        The id tells calls apart by what they ask, so that calls made at once may end in any
        order and are found again in a journal.
        """
        self._model_calls += 1
        if self._model_calls > MOST_MODEL_CALLS:
            raise RequestError(
                f"it called its model more than {MOST_MODEL_CALLS} times for one answer",
                unsent=True,
            )
        if self.call_id:
            key = request.key(model.name)[:16]
            request = replace(request, call_id=f"{self.call_id}.{key}.{self._same[key]}")
            self._same[key] += 1
        self._enter_call()
        try:
            completion = await model.complete(request)
        except SafejuryError as error:
            self.errors.append(error)
            if isinstance(error, ModelError):
                self.meter.add_failure(error)
            raise
        finally:
            self._leave_call()
        self.meter.add(completion)
        self.last = completion
        return completion

    def hear(self, said: object) -> None:
        """Take in what an agent streams.

        Raises:
            Stopped: It goes on for too long, or streams what is no message.
        """
        match said:
            case ModelClientStreamingChunkEvent():
                self._pieces += 1
                if self._pieces > MOST_PIECES:
                    raise Stopped(f"it streamed more than {MOST_PIECES:,} pieces without an end")
                return
            case TaskResult(messages=messages, stop_reason=why):
                if why:
                    self.problem = f"it stopped without a message ({_clip(why, _NAME_KEPT)})"
                for message in messages if not self._said else ():
                    self.hear(message)
                return
            case BaseChatMessage() | BaseAgentEvent():
                self._count(said)
            case _:
                raise Stopped(f"it streamed a value of type {type(said).__name__}, and no message")
        if isinstance(said, ToolCallRequestEvent):
            for call in said.content:
                self._note_tool(call.id, call.name, call.arguments)
        elif isinstance(said, ToolCallExecutionEvent):
            for one in said.content:
                self._note_result(one.call_id, one.name, one.content, failed=bool(one.is_error))
        elif isinstance(said, BaseChatMessage):
            self.message = said

    def _note_tool(self, call_id: str, name: str, arguments: str) -> None:
        if len(self._asked) >= MOST_TOOL_CALLS:
            raise Stopped(f"it called tools more than {MOST_TOOL_CALLS} times without an answer")
        self._asked.append(call_id)
        if len(self._tools) < _TOOLS_KEPT:
            self._tools.append(ToolUse(_clip(name, _NAME_KEPT), _clip(arguments, _ARGUMENTS_KEPT)))

    def _note_result(self, call_id: str, name: str, result: str, *, failed: bool) -> None:
        if call_id not in self._asked:
            self._note_tool(call_id, name, "")
        at = len(self._asked) - 1 - self._asked[::-1].index(call_id)  # some reuse their ids
        if at < len(self._tools):
            kept = _clip(result, _RESULT_KEPT)
            self._tools[at] = replace(self._tools[at], result=kept, failed=failed)

    def _count(self, said: BaseChatMessage | BaseAgentEvent) -> None:
        self._said += 1
        if self._said > MOST_MESSAGES:
            raise Stopped(f"it went on for more than {MOST_MESSAGES} messages without an end")
        usage = said.models_usage
        if usage is not None and min(usage.prompt_tokens, usage.completion_tokens) >= 0:
            self._reported += 1
            before = self._usage or Usage(0, None, 0)
            self._usage = Usage(
                (before.prompt_tokens or 0) + usage.prompt_tokens,
                None,
                (before.completion_tokens or 0) + usage.completion_tokens,
            )

    @property
    def has_own_words(self) -> bool:
        """Whether its last message is words: what a tool returned, or a handoff, is not."""
        message = self.message
        if isinstance(message, ToolCallSummaryMessage | HandoffMessage):
            return False
        return isinstance(message, BaseTextChatMessage | StructuredMessage | MultiModalMessage)

    def work(self, problem: str = "") -> AgentWork:
        """Return what the agent did, with what its calls of the run's models took."""
        meter = self.meter
        return AgentWork(
            tuple(self._tools),
            problem,
            meter.usage or Usage(0, 0, 0),
            meter.cost_usd,
            meter.cost_usd_known,
            meter.calls,
        )

    def failed_work(self, *, pays: bool) -> AgentWork:
        """Return what an agent did that gave no answer, with what all of its calls took."""
        work = self.work()
        if not pays:
            return work
        usage, calls = self._usage or Usage(), max(1, self._reported)
        return replace(work, usage=usage, cost_usd=None, calls=calls)

    def completion(self, *, pays: bool, seconds: float) -> Completion:
        """Return the agent's answer as a model's.

        Args:
            pays: Whether its calls are none of the run's models.
            seconds: How long it took.
        """
        text, problem = self._text()
        last, cut = self.last, len(text) > _WORDS_KEPT
        same = last is not None and last.text.strip() == text.strip()
        finish = last.finish_reason if same and last is not None else "other"
        refusal = last.refusal if last is not None and text == last.refusal else None
        usage, calls = Usage(0, 0, 0), 0
        if pays:
            usage, calls = self._usage or Usage(), max(1, self._reported)
        completion = Completion(
            text[:_WORDS_KEPT],
            "length" if cut else finish,
            refusal,
            usage=usage,
            latency_s=seconds,
            cost_usd=None if pays else 0.0,
            notes=self._notes(),
            attempts=calls,
            work=self.work(problem),
        )
        return without_keys(completion)  # its own client may bring one

    def _notes(self) -> tuple[str, ...]:
        beyond = len(self._asked) - len(self._tools)
        return (*self.meter.notes, *((f"{beyond} more calls of tools",) if beyond else ()))

    def _text(self) -> tuple[str, str]:
        message = self.message
        if message is None:
            return "", self.problem
        if not self.has_own_words:
            kind = type(message).__name__
            return "", f"its last message is a {kind}, and not words of its own"
        if isinstance(message, StructuredMessage):
            content = cast("StructuredMessage[BaseModel]", message).content
            return storable(content.model_dump_json()), ""
        return storable(str(message.to_model_text())), ""

    def in_calls(self) -> float:
        """Return the seconds that passed in calls of the run's models.

        These have timeouts of their own, and may wait for a place in the run's limits.
        """
        now = time.monotonic() - self._since if self._in_calls else 0.0
        return self._in_calls_before + now

    def _enter_call(self) -> None:
        if not self._in_calls:
            self._since = time.monotonic()
        self._in_calls += 1

    def _leave_call(self) -> None:
        self._in_calls -= 1
        if not self._in_calls:
            self._in_calls_before += time.monotonic() - self._since


def _clip(text: object, longest: int) -> str:
    """Return words of tools and teams in part, without what looks like a secret."""
    said = redactor.redact(storable(str(text)))
    return said if len(said) <= longest else f"{said[:longest]}…"
