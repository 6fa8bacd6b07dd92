"""AutoGen's messages, tools and schemas as ours, and our completions as its results.

Its image type keeps decoded pixels and encodes them anew; a picture of a case comes as an
`EvidenceImage`, and is sent as its file has it.
"""

import asyncio
import hashlib
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, cast

from autogen_core import FunctionCall, Image
from autogen_core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

from ....common import ConfigurationError
from ....datasets import Media, ToolCall
from ....models import (
    ChatMessage,
    Completion,
    FinishReason,
    ImagePart,
    JsonSchema,
    OneTool,
    Part,
    TextPart,
    ToolChoice,
    ToolSpec,
)
from ...reply import MARK, without_thinking
from .._conversation import png_of
from .._evidence_image import EvidenceImage

_FINISH: dict[FinishReason, Literal["stop", "length", "content_filter", "unknown"]] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "other": "unknown",
}
_UNNAMED = re.compile(r"[^a-zA-Z0-9_-]")
_FENCED = re.compile(r"\s*```(?:json)?[ \t]*\n((?:(?!```).)*)```\s*", re.DOTALL | re.IGNORECASE)
_LONGEST_NAME = 64
_NO_PARAMETERS: Mapping[str, object] = {"type": "object", "properties": {}}
_MAPS = ("properties", "$defs", "definitions")


class Names:
    """Adds to messages which of several agents speaks.

    Args:
        prefixed: Whether a message begins with its speaker.
        sent: Whether the speaker is sent as the message's `name`.
    """

    def __init__(self, *, prefixed: bool = False, sent: bool = False) -> None:
        self.prefixed, self.sent = prefixed, sent

    def put_on(self, message: ChatMessage, source: str) -> ChatMessage:
        """Return a user's message with the name of its speaker."""
        name = _UNNAMED.sub("_", source)[:_LONGEST_NAME] if self.sent and source else message.name
        said = (TextPart(f"{source} said:"),) if self.prefixed else ()
        return ChatMessage(message.role, (*said, *message.parts), name=name)


async def converted(
    messages: Sequence[LLMMessage], files: ExitStack, names: Names
) -> tuple[ChatMessage, ...]:
    """Return `messages` as ours; `files` keeps their images until the call is over."""
    if not any(map(images_in, messages)):
        return tuple(plain(messages, names))
    folder = files.enter_context(tempfile.TemporaryDirectory(prefix="safejury-"))
    return await asyncio.to_thread(lambda: tuple(plain(messages, names, Path(folder))))


def plain(
    messages: Iterable[LLMMessage], names: Names, folder: Path | None = None
) -> Iterable[ChatMessage]:
    """Yield `messages` as ours; without a folder for their images these are left out."""
    for message in messages:
        match message:
            case SystemMessage(content=text):
                yield ChatMessage.of("system", text)
            case UserMessage(content=str(text), source=source):
                yield names.put_on(ChatMessage.of("user", text), source)
            case UserMessage(content=pieces, source=source):
                parts = tuple(_part(piece, folder) for piece in pieces)
                yield names.put_on(ChatMessage("user", parts), source)
            case AssistantMessage(content=str(text)):
                yield ChatMessage.of("assistant", text)
            case AssistantMessage(content=calls, thought=thought):
                said = () if thought is None else (TextPart(thought),)
                yield ChatMessage("assistant", said, tuple(map(_called, calls)))
            case FunctionExecutionResultMessage(content=results):
                yield from map(_returned, results)


def _called(call: FunctionCall | str) -> ToolCall:
    assert isinstance(call, FunctionCall)  # the case above has taken words
    return ToolCall(call.name, call.arguments, call.id)


def _returned(result: FunctionExecutionResult) -> ChatMessage:
    words = result.content
    if result.is_error and "error" not in words[:40].lower():
        words = f"Error: {words}"
    return ChatMessage("tool", (TextPart(words),), (), result.call_id or None, result.name or None)


def images_in(message: LLMMessage) -> int:
    """Return how many images a message shows."""
    if not isinstance(message, UserMessage) or isinstance(message.content, str):
        return 0
    return sum(isinstance(piece, Image) for piece in message.content)


def _part(piece: str | Image, folder: Path | None) -> Part:
    if isinstance(piece, str) or folder is None:
        return TextPart(piece if isinstance(piece, str) else "")
    if isinstance(piece, EvidenceImage):
        return ImagePart(piece.media)
    data = png_of(piece)
    digest = hashlib.sha256(data).hexdigest()
    path = folder / digest
    path.write_bytes(data)
    return ImagePart(Media(digest, "image/png", len(data), str(path)))


def offered(tools: Iterable[Tool | ToolSchema]) -> tuple[ToolSpec, ...]:
    """Return tools as they are offered to a model."""
    schemas = [tool.schema if isinstance(tool, Tool) else tool for tool in tools]
    return tuple(
        ToolSpec(
            schema["name"],
            schema.get("description", ""),
            cast("Mapping[str, object]", schema.get("parameters") or _NO_PARAMETERS),
            schema.get("strict", False),
        )
        for schema in schemas
    )


def chosen(
    choice: Tool | Literal["auto", "required", "none"], tools: Sequence[ToolSpec]
) -> ToolChoice:
    """Return which tools a model may or must call.

    Raises:
        ConfigurationError: The tool that it must call is not offered.
    """
    if isinstance(choice, str):
        return choice
    if choice.name not in {tool.name for tool in tools}:
        raise ConfigurationError(
            f"tool_choice names {choice.name!r}, which is not among the tools: add it to them"
        )
    return OneTool(choice.name)


def schema_of(json_output: bool | type[BaseModel] | None) -> JsonSchema | None:
    """Return the schema that a reply must have, None for any words."""
    if not json_output:
        return None
    if json_output is True:
        return JsonSchema("object", {"type": "object"})
    return JsonSchema(json_output.__name__, _closed(json_output.model_json_schema()))


def _closed(node: Any) -> Any:
    """Return a schema that asks for all fields and no others, as strict providers want it."""
    if isinstance(node, list):
        return [_closed(each) for each in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    schema = cast("dict[str, Any]", node)
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    made = {
        key: {name: _closed(each) for name, each in value.items()}
        if key in _MAPS
        else _closed(value)
        for key, value in schema.items()
        if key != "default"
    }
    if "properties" in made:
        made |= {"required": [*made["properties"]], "additionalProperties": False}
    return made


def result_of(completion: Completion, usage: RequestUsage) -> CreateResult:
    """Return a completion as AutoGen's result."""
    if completion.tool_calls:
        calls = [FunctionCall(call.id, call.arguments, call.name) for call in completion.tool_calls]
        return CreateResult(
            finish_reason="function_calls",
            content=calls,
            usage=usage,
            cached=completion.reused,
            thought=completion.text or None,
        )
    said, thought = _without_thought(completion.text)
    return CreateResult(
        finish_reason=_FINISH[completion.finish_reason],
        content=said or completion.refusal or "",
        usage=usage,
        cached=completion.reused,
        thought=thought,
    )


def unfenced(text: str) -> str:
    """Return what stands in a code fence, where a whole reply does: it was to be JSON alone."""
    found = _FENCED.fullmatch(text)
    return found[1].strip() if found else text


def _without_thought(text: str) -> tuple[str, str | None]:
    """Return what a model said, and what it thought in marks before that."""
    said = without_thinking(text)
    if said is None or said == text or not said.strip():
        return text, None
    return said.strip(), MARK.sub("", text.removesuffix(said)).strip() or None
