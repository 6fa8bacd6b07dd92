"""Adapters for the Microsoft Agent Framework (extra `agent-framework`).

It is what follows AutoGen. Its evaluation interfaces are marked experimental there, so the
extra caps its version, and no other module imports it.
"""

import asyncio
import base64
import binascii
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from ...common import ConfigurationError, import_extra, in_parallel
from ...common.text import short
from ...datasets import (
    UNCATEGORISED,
    MediaStore,
    Message,
    MessagePart,
    Query,
    ToolCall,
)
from ...models import (
    AgentError,
    AgentWork,
    AudioPart,
    ChatMessage,
    ChatRequest,
    Completion,
    FinishReason,
    ImagePart,
    Modality,
    Part,
    Sampling,
    ToolUse,
    Usage,
    redactor,
    without_keys,
)
from ...targets import ModelTarget, Response
from ..case import Case, case_of_turns

if TYPE_CHECKING:
    from agent_framework import (
        AgentResponse,
        Content,
        EvalItem,
        EvalItemResult,
        EvalResults,
        SupportsAgentRun,
    )
    from agent_framework import Message as TheirMessage

_SEES: frozenset[Modality] = frozenset({"text", "image"})
_FINISH: Mapping[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
}
_KEPT = 800
_MOST_TOKENS = 2048


@cache
def _framework() -> Any:
    """Return the package, which is imported when the first of these is made."""
    return import_extra("an agent of the Agent Framework", "agent_framework")


class FrameworkModel:
    """An agent of the Agent Framework that answers in a model's place.

    As a juror: `Juror("pharmacist", None, FrameworkModel(agent))`; as a model of an AutoGen
    agent: `AgentChatClient(FrameworkModel(agent))`. It is given the messages of each request
    anew, pictures included, and keeps no session; tools are its own. What it reports of its
    tokens is the usage; its price is not known.

    Args:
        agent: The agent, or a workflow as an agent.
        modalities: What its model takes in.

    Attributes:
        agent: See above.
    """

    def __init__(
        self, agent: "SupportsAgentRun", *, modalities: frozenset[Modality] = _SEES
    ) -> None:
        self._framework = _framework()
        self.agent = agent
        self.name = f"agent {agent.name or agent.id}"
        self.modalities = modalities

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the agent's last words.

        Raises:
            AgentError: It failed, or waits for a person.
        """
        return (await self.answer(request))[0]

    async def answer(self, request: ChatRequest) -> tuple[Completion, tuple[Message, ...]]:
        """Return the agent's last words, and what it said and did before them; see `complete`."""
        started = time.perf_counter()
        messages = await asyncio.to_thread(lambda: [*map(_theirs, request.messages)])
        try:
            reply = await self.agent.run(messages)
        except Exception as error:
            if type(error).__name__.endswith("ContentFilterException"):
                return Completion("", "content_filter"), ()
            said = redactor.redact(short(f"{type(error).__name__}: {error}"))
            raise AgentError(f"{self.name}: {said}", AgentWork()) from error
        if reply.user_input_requests:
            why = f"{self.name} waits for a person's approval, which nobody gives here"
            raise AgentError(why, AgentWork(_tools(reply.messages)))
        before, last = _last_words(reply.messages)
        completion = Completion(
            last,
            _FINISH.get(str(reply.finish_reason or "stop"), "other"),
            usage=_usage(reply),
            latency_s=time.perf_counter() - started,
            work=AgentWork(_tools(reply.messages)),
        )
        turns = tuple(turn for each in before for turn in _ours(each, None))
        return without_keys(completion), redactor.redact_fields(turns)

    async def aclose(self) -> None:
        """Do nothing: the agent is its owner's."""


def framework_target(
    agent: "SupportsAgentRun", *, modalities: frozenset[Modality] = _SEES
) -> Callable[[Query], Awaitable[Response]]:
    """Return an agent as a target: a function for `evaluate`, or `function:` of a config.

    The tools that it called, and what they returned, are part of the response that is judged.

    Args:
        agent: The agent under test.
        modalities: What its model takes in; other media are withheld, with a note.
    """
    options: Mapping[str, object] = getattr(agent, "default_options", {})
    known = tuple(map(str, (agent.name, agent.description, options.get("instructions"))))

    async def ask(query: Query) -> Response:
        asked = _Asked(FrameworkModel(agent, modalities=modalities))
        name, *_ = known  # all of it is part of the function's identity in a run
        target = ModelTarget(name, asked, max_tokens=_MOST_TOKENS, seed=None, sampling=Sampling())
        response = await target.respond(query, epoch=0, call_id="")
        return replace(response, turns=asked.turns, sent=None, max_tokens=None, sampling=None)

    ask.__name__ = agent.name or "agent"
    return ask


class _Asked:
    """An agent for one query, which keeps what it did before its last words."""

    def __init__(self, model: FrameworkModel) -> None:
        self._model = model
        self.name, self.modalities = model.name, model.modalities
        self.turns: tuple[Message, ...] = ()

    async def complete(self, request: ChatRequest) -> Completion:
        completion, self.turns = await self._model.answer(request)
        return completion

    async def aclose(self) -> None:
        """Do nothing: the agent is its owner's."""


class _Verdict(Protocol):
    """The part of a jury's judgment that is reported."""

    @property
    def finding(self) -> str | None: ...
    @property
    def rating(self) -> float | None: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def tally(self) -> Mapping[Any, int]: ...
    @property
    def summary(self) -> str: ...


class JudgesCases(Protocol):
    """What an evaluator needs of a jury: one that is open."""

    async def judge(self, case: Case) -> _Verdict:
        """Return the judgment of a case."""
        ...


class JuryEvaluator:
    """A jury as an `Evaluator` of the Agent Framework: does an agent's answer cross a line?

    `safe` passes, `unsafe` fails, and no verdict is an error, never either. The score is the
    rating, 1 to 5, 5 the safest. An item's conversation becomes a case as `EvalItem` splits
    it; pictures and the tools that the agent called belong to it.

    Args:
        jury: A jury that is open (`async with jury:`).
        name: The evaluator's name in results.
        scenario: Id of the risk scenario that the items belong to.
        guideline: What to weigh in it, in one paragraph.

    Example:
        >>> async with sj.Jury.of("lawyer", "clinician", "sceptic", model=model) as jury:
        ...     await evaluate_agent(agent=agent, queries=asked, evaluators=JuryEvaluator(jury))
    """

    def __init__(
        self,
        jury: JudgesCases,
        *,
        name: str = "safejury",
        scenario: str = UNCATEGORISED.id,
        guideline: str = UNCATEGORISED.guideline,
    ) -> None:
        self.name = name
        self._jury = jury
        self._scenario, self._guideline = scenario, guideline
        self._media = MediaStore()
        self._framework = _framework()

    async def evaluate(
        self, items: "Sequence[EvalItem]", *, eval_name: str = "safejury"
    ) -> "EvalResults":
        """Judge each item; all are heard at once, within the limits of the jury's models.

        Raises:
            FirstContactError: A juror's model never answered once.
        """
        results = await in_parallel(
            self._result(item, number, eval_name) for number, item in enumerate(items)
        )
        counts = {
            said: sum(result.status == status for result in results)
            for said, status in (("passed", "pass"), ("failed", "fail"), ("errored", "error"))
        }
        results_of: type[EvalResults] = self._framework.EvalResults
        return results_of(
            provider=self.name,
            eval_id="safejury",
            run_id=eval_name,
            result_counts=counts,
            per_evaluator={"safety": dict(counts)},
            items=results,
        )

    async def _result(self, item: "EvalItem", number: int, eval_name: str) -> "EvalItemResult":
        result: EvalItemResult = self._framework.EvalItemResult(
            str(number), "error", input_text=item.query, output_text=item.response
        )
        try:
            case = await asyncio.to_thread(self._case, item, f"{eval_name}-{number}")
        except ConfigurationError as error:
            return replace(result, error_code="no_case", error_message=str(error))
        verdict = await self._jury.judge(case)
        tally = {str(key): count for key, count in verdict.tally.items()}
        if verdict.finding is None:
            why = str(verdict.reason or "the jury reached no verdict")
            return replace(
                result, error_code="no_verdict", error_message=why, metadata={"tally": tally}
            )
        passed = str(verdict.finding) == "safe"
        sample = {"finding": str(verdict.finding), "tally": tally, "summary": verdict.summary}
        rating = float(verdict.rating or 0)
        score = self._framework.EvalScoreResult("safety", rating, passed, sample)
        return replace(result, status="pass" if passed else "fail", scores=[score])

    def _case(self, item: "EvalItem", name: str) -> Case:
        asked, answered = item.split_messages()
        before, last = _last_words(answered)
        if not last.strip():
            raise ConfigurationError("the item has no answer in words")
        question = [turn for each in asked for turn in _ours(each, self._media)]
        turns = tuple(turn for each in before for turn in _ours(each, None))
        about = {"scenario": self._scenario, "guideline": self._guideline}
        return case_of_turns(name, "agent", question, last, turns, **about)


def _theirs(message: ChatMessage) -> "TheirMessage":
    framework = _framework()
    make: type[Content] = framework.Content
    contents = [_content(part, make) for part in message.parts]
    contents += [
        make.from_function_call(call.id, call.name, arguments=call.arguments)
        for call in message.tool_calls
    ]
    if message.role == "tool":
        words = "\n".join(content.text or "" for content in contents)
        contents = [make.from_function_result(message.tool_call_id or "", result=words)]
    return framework.Message(message.role, contents)


def _content(part: Part, make: "type[Content]") -> "Content":
    if isinstance(part, ImagePart | AudioPart):
        return make.from_data(part.media.read(), part.media.media_type)
    return make.from_text(part.text)


def _last_words(messages: "Sequence[TheirMessage]") -> "tuple[Sequence[TheirMessage], str]":
    """Return the messages before the agent's last words, and these."""
    for at in range(len(messages) - 1, -1, -1):
        if messages[at].role == "assistant" and messages[at].text.strip():
            return messages[:at], messages[at].text
    return messages, ""


def _ours(message: "TheirMessage", media: MediaStore | None) -> Iterator[Message]:
    """Yield a message as turns of ours; without a store, media are named and not kept."""
    parts = list[MessagePart]()
    calls = list[ToolCall]()
    results = list[Message]()
    for content in message.contents:
        match content.type:
            case "text":
                parts.append(MessagePart("text", content.text or ""))
            case "data" | "uri":
                parts += _picture(content, media)
            case "function_call":
                calls.append(ToolCall(content.name or "", _written(content), content.call_id or ""))
            case "function_result":
                words = MessagePart("text", str(content.result or content.exception or ""))
                results.append(Message("tool", (words,), (), content.call_id, content.name))
            case _:
                pass
    if parts or calls:
        role = message.role if message.role in ("system", "user", "assistant") else "user"
        yield Message(role, tuple(parts), tuple(calls))
    yield from results


def _picture(content: "Content", media: MediaStore | None) -> Iterable[MessagePart]:
    kind = content.media_type or ""
    if not kind.startswith("image/"):
        return ()
    head, comma, data = (content.uri or "").partition(",")
    if media is None or not comma or not head.endswith(";base64"):
        return (MessagePart("image"),)
    try:
        return (
            MessagePart("image", media=media.keep(base64.b64decode(data, validate=True), kind)),
        )
    except binascii.Error as error:
        raise ConfigurationError(
            f"a picture of the conversation cannot be read: {error}"
        ) from error


def _written(content: "Content") -> str:
    given = content.arguments
    return given if isinstance(given, str) else msgspec.json.encode(given or {}).decode()


def _tools(messages: "Sequence[TheirMessage]") -> tuple[ToolUse, ...]:
    contents = [content for message in messages for content in message.contents]
    results = {one.call_id: one for one in contents if one.type == "function_result"}
    return tuple(
        ToolUse(
            call.name or "",
            _written(call)[:_KEPT],
            None if (result := results.get(call.call_id)) is None else str(result.result)[:_KEPT],
            failed=result is not None and result.exception is not None,
        )
        for call in contents
        if call.type == "function_call"
    )


def _usage(reply: "AgentResponse[Any]") -> Usage:
    usage = reply.usage_details or {}
    return Usage(
        usage.get("input_token_count"),
        usage.get("cache_read_input_token_count"),
        usage.get("output_token_count"),
    )
