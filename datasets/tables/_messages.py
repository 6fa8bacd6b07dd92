"""Parses chat messages of any tool into turns of a conversation."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import msgspec

from ...common.text import quoted
from ..query import MOST_MESSAGES, NOUNS, MediaKind, Message, MessagePart, Role, ToolCall, unread
from ._column_map import list_names
from ._values import (
    Object,
    RowError,
    as_list,
    as_object,
    as_text,
    describe,
    first_text,
    is_object,
)

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "model": "assistant",
    "gpt": "assistant",
    "ai": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "tool": "tool",
    "function": "tool",
}
"""The names of roles in files."""
_CONTENT = ("content", "value", "body")
_KINDS: dict[str, MediaKind] = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "audio": "audio",
    "input_audio": "audio",
    "video": "video",
    "video_url": "video",
}
_THOUGHTS = {"reasoning", "thinking", "redacted_thinking"}
"""Parts that are not shown to anyone."""


def read_messages(messages: Iterable[object]) -> tuple[Message, ...]:
    """Parse a list of `{"role", "content"}` or `{"from", "value"}` into turns.

    Their media are unread, and turns that say, show and call nothing are left out.

    Raises:
        RowError: A turn is none, or a part of it is nothing that a jury could be shown.
    """
    turns = tuple(turn for message in messages for turn in _turns(message))
    if len(turns) > MOST_MESSAGES:
        raise RowError(f"has {len(turns):,} messages, more than {MOST_MESSAGES:,}")
    return turns


def _turns(value: object) -> Iterator[Message]:
    message = as_object(value)
    named = first_text(message.get("role"), message.get("from"))
    if named is None or (role := _ROLES.get(named.casefold())) is None:
        raise RowError(f"has a message of {describe(named)}, which is none of {', '.join(_ROLES)}")
    content = next((message[key] for key in _CONTENT if key in message), None)
    parts: list[MessagePart] = []
    calls = list(_calls(message))
    results: list[Message] = []
    for item in _items(content):
        kind = as_text(item.get("type"))
        if kind == "tool_use":
            calls.append(_tool_use(item))
            results += _result_within(item)
        elif kind == "tool_result":
            results.append(_tool_result(item))
        elif (part := _part(kind, item, role)) is not None:
            parts.append(part)
    if role == "tool" and (error := _error(message)) is not None:
        parts.append(MessagePart("text", error))
    if parts or calls or not results:
        turn = Message(role, tuple(parts), tuple(calls))
        if role == "tool":
            name = first_text(message.get("name"), message.get("function"))
            turn = replace(turn, tool_call_id=as_text(message.get("tool_call_id")), name=name)
        if parts or calls:
            yield turn
    yield from results


def _items(content: object) -> Iterator[Object]:
    for item in as_list(content) or [content]:
        if isinstance(item, str):
            item = {"type": "text", "text": item}
        if is_object(item):
            yield item


def _part(kind: str | None, item: Object, role: Role) -> MessagePart | None:
    if kind == "document":
        kind = _kind_of_document(item)
    if kind in _KINDS:
        return unread(_address(_KINDS[kind], item), _KINDS[kind])
    text = first_text(item.get("text"), item.get("refusal"))
    if text is not None:
        return MessagePart("text", text)
    if kind is None or kind in _THOUGHTS or "text" in item:
        return None
    if role in ("assistant", "tool"):
        return MessagePart("text", f"(a part of type {quoted(kind)}, which is not kept)")
    raise RowError(f"has a part of type {quoted(kind)}, which no jury can be shown")


def _kind_of_document(part: Object) -> str:
    """Return `image`, `audio` or `video` for a document that is one, as Inspect has some."""
    kind = (as_text(part.get("mime_type")) or "").partition("/")[0]
    return kind if kind in _KINDS else "document"


def _address(kind: MediaKind, part: Object) -> str:
    """Return the path of a media file, or its content as a `data:` URL.

    Raises:
        RowError: It is neither there nor named: a file at its provider, say.
    """
    for key in (f"{kind}_url", kind, "source", "input_audio", "document"):
        value = part.get(key)
        about = as_object(value)
        # Anthropic writes the bytes into the part, and OpenAI those of sounds.
        if data := as_text(about.get("data")):
            media_type = first_text(about.get("media_type"), about.get("format")) or ""
            return f"data:{media_type};base64,{data}"
        if address := first_text(value, about.get("url"), part.get("path")):
            return address
    raise RowError(
        f"has a {NOUNS[kind]} that is not in the file: its part has no address and no bytes, only "
        f"{list_names(part)}"
    )


def _calls(message: Object) -> Iterator[ToolCall]:
    listed_calls = [as_object(item) for item in as_list(message.get("tool_calls"))]
    for call in listed_calls or [{"function": message.get("function_call")}]:
        about = call.get("function")  # Inspect has the name alone there
        name = first_text(as_object(about).get("name"), about)
        if name is not None:
            arguments = as_object(about).get("arguments", call.get("arguments"))
            yield ToolCall(name, _written(arguments), as_text(call.get("id")) or "")


def _tool_use(item: Object) -> ToolCall:
    called = item.get("input", item.get("arguments"))
    return ToolCall(
        as_text(item.get("name")) or "", _written(called), as_text(item.get("id")) or ""
    )


def _result_within(item: Object) -> list[Message]:
    """Return the result of a provider-run tool, if its call contains it."""
    said = first_text(item.get("result"), item.get("error"))
    call, name = as_text(item.get("id")), as_text(item.get("name"))
    return [] if said is None else [Message("tool", (MessagePart("text", said),), (), call, name)]


def _tool_result(item: Object) -> Message:
    parts = (_part(as_text(each.get("type")), each, "tool") for each in _items(item.get("content")))
    return Message("tool", tuple(filter(None, parts)), (), as_text(item.get("tool_use_id")))


def _error(message: Object) -> str | None:
    error = message.get("error")
    return first_text(as_object(error).get("message"), error)


def _written(arguments: object) -> str:
    try:
        return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
    except UnicodeEncodeError:
        raise RowError("has half of a surrogate pair, which is not valid text") from None
