"""Reads and writes the turns of a conversation in a query file."""

from collections.abc import Callable, Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from ...common import DatasetError
from ..query import (
    Media,
    MediaKind,
    Message,
    MessagePart,
    PartKind,
    Role,
    ToolCall,
    check_messages,
    read_parts,
    unread,
)
from ._relative import check_relative

_STRICT = ConfigDict(extra="forbid", strict=True)


class PartLine(BaseModel):
    """One part of a message: `text`, or `path` for media."""

    model_config = _STRICT

    type: PartKind
    text: str | None = None
    path: str | None = None


class FunctionLine(BaseModel):
    """The function of a tool call and its arguments, in OpenAI's format."""

    model_config = _STRICT

    name: str
    arguments: str


class ToolCallLine(BaseModel):
    """A tool call in OpenAI's format."""

    model_config = _STRICT

    function: FunctionLine
    id: str = ""
    type: Literal["function"] = "function"


def _as_parts(content: object) -> object:
    if content is None:
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


class MessageLine(BaseModel):
    """One turn: `content` is a text, a list of parts, or null if there are only tool calls."""

    model_config = _STRICT

    role: Role
    content: Annotated[list[PartLine], BeforeValidator(_as_parts)] = []
    tool_calls: list[ToolCallLine] = []
    tool_call_id: str | None = None
    name: str | None = None


def messages_of(
    lines: Iterable[MessageLine], media: Callable[[str, MediaKind], Media]
) -> tuple[Message, ...]:
    """Convert message lines to turns.

    Args:
        lines: The turns, oldest first.
        media: Returns the media of a path.

    Raises:
        DatasetError: A turn is invalid, or the turns are not a question.
    """
    turns = tuple(_message(number, line) for number, line in enumerate(lines))
    check_messages(turns)
    return read_parts(turns, media)


def _message(number: int, line: MessageLine) -> Message:
    where = f"messages[{number}]"
    if line.tool_calls and line.role != "assistant":
        raise DatasetError(f"'{where}.tool_calls' belongs to an assistant, not to a {line.role}")
    if line.tool_call_id is not None and line.role != "tool":
        raise DatasetError(f"'{where}.tool_call_id' belongs to a tool, not to a {line.role}")
    calls = (ToolCall(c.function.name, c.function.arguments, c.id) for c in line.tool_calls)
    return Message(
        line.role,
        tuple(_part(f"{where}.content[{at}]", part) for at, part in enumerate(line.content)),
        tuple(calls),
        line.tool_call_id,
        line.name,
    )


def _part(where: str, part: PartLine) -> MessagePart:
    needed, other = ("text", "path") if part.type == "text" else ("path", "text")
    if getattr(part, needed) is None or getattr(part, other) is not None:
        raise DatasetError(f"'{where}' is of type {part.type!r}: give it {needed!r}, not {other!r}")
    if part.type == "text":
        return MessagePart("text", part.text or "")
    check_relative(part.path or "", part.type)
    return unread(part.path or "", part.type)


def written(messages: Iterable[Message], place: Callable[[Media, MediaKind], str]) -> list[object]:
    """Convert turns to plain data that `messages_of` reads.

    Args:
        messages: The turns.
        place: Returns the path of media.
    """
    return [_written(message, place) for message in messages]


def _written(message: Message, place: Callable[[Media, MediaKind], str]) -> dict[str, object]:
    data: dict[str, object] = {"role": message.role, "content": _content(message.parts, place)}
    if message.tool_calls:
        data["tool_calls"] = [
            {
                **({"id": call.id} if call.id else {}),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        data["tool_call_id"] = message.tool_call_id
    if message.name is not None:
        data["name"] = message.name
    return data


def _content(
    parts: tuple[MessagePart, ...], place: Callable[[Media, MediaKind], str]
) -> str | list[object] | None:
    if not parts:
        return None
    if len(parts) == 1 and parts[0].kind == "text":
        return parts[0].text
    return [
        {"type": "text", "text": part.text}
        if part.kind == "text" or part.media is None
        else {"type": part.kind, "path": place(part.media, part.kind)}
        for part in parts
    ]
