"""Encodes chat completion requests, to be sent or kept as evidence."""

import hashlib
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import msgspec

from ...common import DatasetError, RequestError
from ...datasets import Media
from ...datasets.media import MediaBytes, hold_media
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
_MEDIUM = b"\xff"
"""Stands for the base64 of a medium: a byte that JSON, which is UTF-8, never has."""
RequestBody = bytes | Sequence[bytes]
"""The bytes of a request, in one piece or in several that follow each other."""
_Render = Callable[[Media, bool], msgspec.Raw | str]
"""Writes a medium, bare or as a data URL."""


def encode_request(model: str, request: ChatRequest, dialect: Dialect) -> bytes:
    """Encode the body of a chat completion request.

    Raises:
        RequestError: A medium cannot be read, or the text is not Unicode.
    """
    body = encode_body(model, request, dialect)
    return body if isinstance(body, bytes) else b"".join(body)


def encode_body(model: str, request: ChatRequest, dialect: Dialect) -> RequestBody:
    """Encode a request as `encode_request` does, in pieces where it shows media.

    All requests that show a medium share its pieces, which are read here unless `load_media`
    did it.
    """
    shown: list[Media] = []

    def render(media: Media, as_url: bool) -> msgspec.Raw:
        shown.append(media)
        prefix = f"data:{media.media_type};base64,".encode() if as_url else b""
        return msgspec.Raw(b'"%b%b"' % (prefix, _MEDIUM))

    try:
        body = msgspec.json.encode(_body(model, request, dialect, render))
    except UnicodeEncodeError as error:
        raise RequestError(
            "the request holds half a surrogate pair, which is not valid Unicode; fix the text",
            unsent=True,
        ) from error
    if not shown:
        return body
    first, *others = body.split(_MEDIUM)
    pieces = [first]
    for media, text in zip(shown, others, strict=True):
        with _unreadable(media):
            pieces += MediaBytes.of(media).encoded(media)
        pieces.append(text)
    return pieces


async def load_media(request: ChatRequest) -> tuple[MediaBytes, ...]:
    """Read and encode the media of a request, without holding the event loop up.

    Returns:
        What they are shared by, to be kept until the request is encoded.

    Raises:
        RequestError: One cannot be read.
    """
    media = _media_of(request)
    if not media:
        return ()
    held = hold_media(media)
    for each, loaded in zip(media, held, strict=True):
        with _unreadable(each):
            await loaded.load(each)
    return held


@contextmanager
def _unreadable(media: Media) -> Generator[None]:
    """Raise the error for a medium that cannot be read."""
    try:
        yield
    except DatasetError as error:
        raise RequestError(str(error), unsent=True) from error
    except OSError as error:
        raise RequestError(
            f"cannot read {media.path}: {error.strerror}; restore the file or fix the dataset",
            unsent=True,
        ) from error


def sent_request(
    model: str, request: ChatRequest, dialect: Dialect, body: RequestBody | None = None
) -> SentRequest:
    """Return the evidence for a request that was encoded as `body`."""
    media = _media_of(request)
    if media or not isinstance(body, bytes):  # it is no evidence of what media say
        body = msgspec.json.encode(_body(model, request, dialect, _stand_in))
    digest = hashlib.sha256(body).hexdigest()
    return SentRequest(digest, body.decode(), media, dialect.left_out(request))


def _media_of(request: ChatRequest) -> tuple[Media, ...]:
    """Return the pictures and sounds of a request, in their order."""
    return tuple(
        part.media
        for message in request.messages
        for part in message.parts
        if not isinstance(part, TextPart)
    )


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
