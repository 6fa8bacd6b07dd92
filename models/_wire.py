"""The OpenAI-compatible wire: a request to bytes, and bytes to a completion."""

import base64
import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass, replace

import msgspec

from ..datasets import BadReplyError, Media, RequestError
from ._chat import (
    AudioPart,
    ChatMessage,
    ChatRequest,
    Completion,
    FinishReason,
    ImagePart,
    Part,
    TextPart,
    Usage,
)

SCHEMA_NOTE = "the server does not take json_schema; the schema was asked for in words"
FILTER_NOTE = "the provider's filter rejected the request"
REASONING_NOTE = "the reply held reasoning and no answer"

_FINISH: dict[str | None, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
}
_NO_SCHEMA = re.compile(
    r"response_format|response format|json_schema|schema|structured|grammar|guided", re.IGNORECASE
)
_LONGEST_ERROR = 64 * 1024
_AUDIO_FORMATS = {"x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "mpeg": "mp3"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a server wants to be asked, learnt from what it rejects.

    Attributes:
        schema_in_words: Ask for JSON in the prompt, not by `response_format`.
        completion_cap: Call the cap `max_completion_tokens`, not `max_tokens`.
    """

    schema_in_words: bool = False
    completion_cap: bool = False

    def learn(self, request: ChatRequest, complaint: str) -> "Dialect | None":
        """Return how to ask again after `complaint`, None where that won't help."""
        capped = request.max_tokens is not None
        if capped and not self.completion_cap and "max_completion_tokens" in complaint:
            return replace(self, completion_cap=True)
        if request.json_schema and not self.schema_in_words and _NO_SCHEMA.search(complaint):
            return replace(self, schema_in_words=True)
        return None

    def merged(self, other: "Dialect") -> "Dialect":
        """Return what either has learnt."""
        return Dialect(
            self.schema_in_words or other.schema_in_words,
            self.completion_cap or other.completion_cap,
        )


class _MediaCache:
    """Encoded media by content hash, so that all jurors share one encoding."""

    def __init__(self, entries: int = 8, most_bytes: int = 64 * 2**20) -> None:
        self._entries, self._most = entries, most_bytes
        self._held: OrderedDict[tuple[str, bool], msgspec.Raw] = OrderedDict()
        self._bytes = 0

    def encoded(self, media: Media, *, as_url: bool) -> msgspec.Raw:
        """Return the JSON string of `media` in base64, bare or as a data URL."""
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
            f"cannot read {media.path}: {error.strerror}; put the file back or mend the dataset"
        ) from error
    if hashlib.sha256(data).hexdigest() != media.sha256:
        raise RequestError(f"{media.path} changed since the dataset was read; load the set again")
    return data


def encode_request(model: str, request: ChatRequest, dialect: Dialect) -> bytes:
    """Return the body of a chat completion request.

    Raises:
        RequestError: A medium cannot be read, or the text is not Unicode.
    """
    messages = request.messages
    body: dict[str, object] = {"model": model, "messages": None}
    if (schema := request.json_schema) is not None:
        if dialect.schema_in_words:
            messages = _ask_in_words(messages, schema.schema)
        else:
            shape = {"name": schema.name, "schema": schema.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": shape}
    body["messages"] = [{"role": m.role, "content": _content(m.parts)} for m in messages]
    if request.max_tokens is not None:
        cap = "max_completion_tokens" if dialect.completion_cap else "max_tokens"
        body[cap] = request.max_tokens
    if request.sampling.temperature is not None:
        body["temperature"] = request.sampling.temperature
    if request.sampling.top_p is not None:
        body["top_p"] = request.sampling.top_p
    if request.seed is not None:
        body["seed"] = request.seed
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError as error:
        raise RequestError(
            "the request holds half a surrogate pair, which is not Unicode; mend the text"
        ) from error


def _ask_in_words(messages: tuple[ChatMessage, ...], schema: object) -> tuple[ChatMessage, ...]:
    written = msgspec.json.encode(schema).decode()
    asked = TextPart(
        "Reply with one JSON object and nothing else: no code fence, no words around it."
        f" It must match this JSON Schema:\n{written}"
    )
    for at in range(len(messages) - 1, -1, -1):
        if messages[at].role == "user":
            longer = replace(messages[at], parts=(*messages[at].parts, asked))
            return (*messages[:at], longer, *messages[at + 1 :])
    return (*messages, ChatMessage("user", (asked,)))


def _content(parts: tuple[Part, ...]) -> object:
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        return parts[0].text
    words = [part.text for part in parts if isinstance(part, TextPart)]
    if len(words) == len(parts):
        return "\n\n".join(words)
    return [_part(part) for part in parts]


def _part(part: Part) -> dict[str, object]:
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ImagePart(media):
            return {"type": "image_url", "image_url": {"url": _media.encoded(media, as_url=True)}}
        case AudioPart(media):
            kind = media.media_type.partition("/")[2]
            sound = {
                "data": _media.encoded(media, as_url=False),
                "format": _AUDIO_FORMATS.get(kind, kind),
            }
            return {"type": "input_audio", "input_audio": sound}


class _Piece(msgspec.Struct):
    type: str = "text"
    text: str | None = None
    refusal: str | None = None


class _Message(msgspec.Struct):
    content: str | list[_Piece | str] | None = None
    refusal: str | None = None
    reasoning_content: msgspec.Raw = msgspec.Raw(b"null")
    reasoning: msgspec.Raw = msgspec.Raw(b"null")


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Reply(msgspec.Struct):
    choices: list[_Choice] | None = None
    model: str | None = None
    usage: msgspec.Raw = msgspec.Raw(b"null")
    error: msgspec.Raw = msgspec.Raw(b"null")


class _Details(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


class _Inner(msgspec.Struct):
    code: str | int | None = None


class _Complaint(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None
    innererror: _Inner | None = None


class _ErrorBody(msgspec.Struct):
    error: _Complaint | str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an error reply says.

    Attributes:
        text: The whole reply, or its message where there is one.
        code: The provider's code, empty where there is none.
        filtered: Whether a content filter rejected the request.
    """

    text: str
    code: str = ""
    filtered: bool = False


_replies = msgspec.json.Decoder(_Reply)
_usages = msgspec.json.Decoder(_Usage | None)
_errors = msgspec.json.Decoder(_ErrorBody)
_FILTER_CODES = {"content_filter", "content_policy_violation", "responsibleaipolicyviolation"}


class InlineError(Exception):
    """A reply of status 200 that reports an error in its body."""

    def __init__(self, body: bytes) -> None:
        super().__init__("error in a reply of status 200")
        self.body = body


def decode_reply(body: bytes) -> Completion:
    """Return the completion that the body of a 200 reply holds.

    Raises:
        BadReplyError: It holds none; permanent where it is not JSON at all.
        InlineError: It holds an error.
    """
    try:
        reply = _replies.decode(body)
    except msgspec.ValidationError as error:
        raise BadReplyError(f"the reply is not a chat completion: {error}") from error
    except (ValueError, RecursionError) as error:
        raise _not_json(body) from error
    if not reply.choices:
        if bytes(reply.error) not in (b"null", b""):
            raise InlineError(body)
        raise BadReplyError("the reply is not a chat completion: it has no choices")
    choice = reply.choices[0]
    message = choice.message
    text, refusal = _words(message)
    finish = _FINISH.get(choice.finish_reason, "other")
    reasoned = not text and (_says(message.reasoning_content) or _says(message.reasoning))
    return Completion(
        text,
        finish,
        refusal=refusal,
        usage=_usage(reply.usage),
        provider_model=reply.model,
        notes=(REASONING_NOTE,) if reasoned else (),
    )


def _words(message: _Message) -> tuple[str, str | None]:
    content = message.content
    if content is None or isinstance(content, str):
        return content or "", message.refusal or None
    pieces = [_Piece(text=piece) if isinstance(piece, str) else piece for piece in content]
    text = "".join(piece.text or "" for piece in pieces if piece.type in ("text", "output_text"))
    refusals = [piece.refusal for piece in pieces if piece.refusal]
    return text, message.refusal or "\n".join(refusals) or None


def _says(field: msgspec.Raw) -> bool:
    return bytes(field) not in (b"null", b'""', b"")


def _usage(field: msgspec.Raw) -> Usage:
    try:
        usage = _usages.decode(field)
    except ValueError:
        return Usage()
    if usage is None:
        return Usage()
    details = usage.prompt_tokens_details
    cached = details.cached_tokens if details is not None else None
    return Usage(usage.prompt_tokens, cached, usage.completion_tokens)


def _not_json(body: bytes) -> BadReplyError:
    start = body.lstrip()[:1]
    if start == b"{":
        return BadReplyError("the reply is cut short or broken JSON")
    if start == b"":
        return BadReplyError("the reply is empty")
    kind = "HTML" if start == b"<" else "text that is not JSON"
    return BadReplyError(
        f"the server replied with {kind}; base_url should be the API's address and"
        " usually ends in /v1",
        permanent=True,
    )


def decode_error(body: bytes) -> Complaint:
    """Return what an error reply says; any bytes are taken."""
    whole = body[:_LONGEST_ERROR].decode("utf-8", "replace")
    try:
        reply = _errors.decode(body)
    except (ValueError, RecursionError):
        return Complaint(whole)
    found = reply.error
    if found is None or isinstance(found, str):
        return Complaint((found or reply.message or whole)[:_LONGEST_ERROR])
    inner = found.innererror.code if found.innererror is not None else None
    codes = {str(code).lower() for code in (found.code, inner) if code is not None}
    return Complaint(
        (found.message or whole)[:_LONGEST_ERROR],
        "" if found.code is None else str(found.code),
        bool(codes & _FILTER_CODES),
    )
