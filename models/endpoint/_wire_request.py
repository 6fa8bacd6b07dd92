"""Encodes chat completion requests, to be sent or kept as evidence."""

import base64
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

import msgspec

from ...common import RequestError
from ...datasets import Media
from ..chat import (
    AudioPart,
    ChatMessage,
    ChatRequest,
    ImagePart,
    OneTool,
    Part,
    SentRequest,
    TextPart,
    ToolChoice,
    ToolSpec,
)
from ._dialect import Dialect

_AUDIO_FORMATS = {"x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "mpeg": "mp3"}
_Render = Callable[[Media, bool], msgspec.Raw | str]
"""Writes a medium, bare or as a data URL."""


class _MediaCache:
    """Caches encoded media by content hash, so that all jurors share one encoding."""

    def __init__(self, entries: int = 8, most_bytes: int = 64 * 2**20) -> None:
        self._entries, self._most = entries, most_bytes
        self._held: OrderedDict[tuple[str, bool], msgspec.Raw] = OrderedDict()
        self._bytes = 0

    def encoded(self, media: Media, as_url: bool) -> msgspec.Raw:
        """Return `media` as a JSON string in base64, bare or as a data URL."""
        key = media.sha256, as_url
        if (held := self._held.get(key)) is not None:
            self._held.move_to_end(key)
            return held
        prefix = f"data:{media.media_type};base64,".encode() if as_url else b""
        made = msgspec.Raw(b'"%b%b"' % (prefix, base64.b64encode(_read(media))))
        self._held[key] = made
        self._bytes += len(memoryview(made))
        while len(self._held) > self._entries or self._bytes > self._most:
            self._bytes -= len(memoryview(self._held.popitem(last=False)[1]))
        return made


_media = _MediaCache()


def _read(media: Media) -> bytes:
    try:
        data = media.read()
    except OSError as error:
        raise RequestError(
            f"cannot read {media.path}: {error.strerror}; restore the file or fix the dataset",
            unsent=True,
        ) from error
    if not media.matches(data):
        raise RequestError(
            f"{media.path} changed since the dataset was read; load the set again", unsent=True
        )
    return data


def encode_request(model: str, request: ChatRequest, dialect: Dialect) -> bytes:
    """Encode the body of a chat completion request.

    Raises:
        RequestError: A medium cannot be read, or the text is not Unicode.
    """
    try:
        return msgspec.json.encode(_body(model, request, dialect, _media.encoded))
    except UnicodeEncodeError as error:
        raise RequestError(
            "the request holds half a surrogate pair, which is not valid Unicode; fix the text",
            unsent=True,
        ) from error


def sent_request(model: str, request: ChatRequest, dialect: Dialect) -> SentRequest:
    """Return the evidence for a request that `encode_request` encoded."""
    body = msgspec.json.encode(_body(model, request, dialect, _stand_in))
    media = tuple(
        part.media
        for message in request.messages
        for part in message.parts
        if not isinstance(part, TextPart)
    )
    digest = hashlib.sha256(body).hexdigest()
    return SentRequest(digest, body.decode(), media, dialect.left_out(request))


def _stand_in(media: Media, as_url: bool) -> str:
    return f"sha256:{media.sha256};{media.media_type};{media.size}"


def _body(model: str, request: ChatRequest, dialect: Dialect, render: _Render) -> dict[str, object]:
    messages = request.messages
    body: dict[str, object] = {"model": model, "messages": None}
    if (schema := request.json_schema) is not None:
        if dialect.schema_in_words:
            messages = _ask_in_words(messages, schema.schema, tools=bool(request.tools))
        else:
            shape = {"name": schema.name, "schema": schema.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": shape}
    if dialect.no_system:
        messages = _without_system(messages)
    body["messages"] = [_message(message, render) for message in messages]
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
        if request.tool_choice != "auto":
            body["tool_choice"] = _choice(request.tool_choice)
    if request.on_text is not None and not dialect.whole:
        body["stream"], body["stream_options"] = True, {"include_usage": True}
    if request.max_tokens is not None and "max_tokens" not in dialect.dropped:
        cap = "max_completion_tokens" if dialect.completion_cap else "max_tokens"
        body[cap] = request.max_tokens
    if request.sampling.temperature is not None:
        body["temperature"] = request.sampling.temperature
    if request.sampling.top_p is not None:
        body["top_p"] = request.sampling.top_p
    if request.seed is not None:
        body["seed"] = request.seed
    if request.top_logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    for name in dialect.dropped:
        body.pop(name, None)
    if request.options is not None:
        body = {**request.options.in_body(), **body}
    return body


def _tool(tool: ToolSpec) -> dict[str, object]:
    function: dict[str, object] = {"name": tool.name, "parameters": tool.parameters}
    if tool.description:
        function["description"] = tool.description
    if tool.strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _choice(choice: ToolChoice) -> object:
    if isinstance(choice, OneTool):
        return {"type": "function", "function": {"name": choice.name}}
    return choice


def _ask_in_words(
    messages: tuple[ChatMessage, ...], schema: object, *, tools: bool
) -> tuple[ChatMessage, ...]:
    written = msgspec.json.encode(schema).decode()
    reply = "Unless you call a tool, reply" if tools else "Reply"
    asked = TextPart(
        f"{reply} with one JSON object and nothing else: no code fence, no words around it."
        f" It must match this JSON Schema:\n{written}"
    )
    for at in range(len(messages) - 1, -1, -1):
        if messages[at].role == "user":
            longer = replace(messages[at], parts=(*messages[at].parts, asked))
            return (*messages[:at], longer, *messages[at + 1 :])
    return (*messages, ChatMessage("user", (asked,)))


def _without_system(messages: tuple[ChatMessage, ...]) -> tuple[ChatMessage, ...]:
    system = tuple(part for m in messages if m.role == "system" for part in m.parts)
    rest = [message for message in messages if message.role != "system"]
    at = next((at for at, message in enumerate(rest) if message.role == "user"), None)
    if not system:
        return messages
    if at is None:
        return (ChatMessage("user", system), *rest)
    rest[at] = replace(rest[at], parts=(*system, *rest[at].parts))
    return tuple(rest)


def _message(message: ChatMessage, render: _Render) -> dict[str, object]:
    said: dict[str, object] = {"role": message.role, "content": _content(message.parts, render)}
    if message.tool_calls:
        said["content"] = said["content"] or None
        said["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        said["tool_call_id"] = message.tool_call_id
    if message.name is not None:
        said["name"] = message.name
    return said


def _content(parts: tuple[Part, ...], render: _Render) -> object:
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        return parts[0].text
    words = [part.text for part in parts if isinstance(part, TextPart)]
    if len(words) == len(parts):
        return "\n\n".join(words)
    return [_part(part, render) for part in parts]


def _part(part: Part, render: _Render) -> dict[str, object]:
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ImagePart(media):
            return {"type": "image_url", "image_url": {"url": render(media, True)}}
        case AudioPart(media):
            kind = media.media_type.partition("/")[2]
            sound = {"data": render(media, False), "format": _AUDIO_FORMATS.get(kind, kind)}
            return {"type": "input_audio", "input_audio": sound}
