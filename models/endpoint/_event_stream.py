"""Reads replies that come as a stream of server-sent events."""

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator

import msgspec

from ...common import BadReplyError
from ..chat import redactor

_NULL = msgspec.Raw(b"null")
_END = b"[DONE]"


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None
    error: msgspec.Raw = _NULL


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    model: str | None = None
    usage: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL


_chunks = msgspec.json.Decoder(_Chunk)


class Events:
    """Splits a stream into the data of its events."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the data of the events that end within these bytes."""
        *lines, self._rest = (self._rest + data).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._lines.append(line[5:].removeprefix(b" "))
            elif not line and self._lines:
                yield b"\n".join(self._lines)
                self._lines.clear()


class TextListener:
    """Passes on the text of a reply as it comes.

    Args:
        on_text: Is given the text so far, without known keys.
    """

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self._on_text = on_text
        self._events = Events()
        self._text = self._told = ""

    def feed(self, data: bytes) -> None:
        """Read more of the stream; what cannot be read is left to `whole_reply`."""
        for event in self._events.feed(data):
            if event.strip() == _END:
                self._tell(redactor.redact(self._text, patterns=False))
                continue
            try:
                choices = _chunks.decode(event).choices
            except ValueError:
                continue
            if not choices:
                continue
            if choices[0].delta is not None and choices[0].delta.content:
                self._text += choices[0].delta.content
                self._tell(redactor.redact_so_far(self._text))
            if choices[0].finish_reason:
                self._tell(redactor.redact(self._text, patterns=False))

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._on_text(text)


def whole_reply(body: bytes) -> bytes:
    """Return the body that a reply would have had in one piece.

    Raises:
        BadReplyError: The stream ends early, or an event of it cannot be read.
    """
    message, calls = _Delta(), dict[int, _Call]()
    whole: dict[str, object] = {}
    finish, ended = None, False
    for event in Events().feed(body.removeprefix(BOM_UTF8) + b"\n\n"):
        if event.strip() == _END:
            ended = True
            break
        try:
            chunk = _chunks.decode(event)
        except (ValueError, RecursionError) as error:
            raise BadReplyError(f"an event of the stream cannot be read: {error}") from error
        if _says(chunk.error):
            return msgspec.json.encode({"error": chunk.error})
        whole["model"] = chunk.model or whole.get("model")
        if _says(chunk.usage):
            whole["usage"] = chunk.usage
        for choice in (chunk.choices or ())[:1]:
            if _says(choice.error):
                return msgspec.json.encode({"error": choice.error})
            finish = choice.finish_reason or finish
            if choice.delta is not None:
                _add(message, calls, choice.delta)
    if not (ended or finish):
        raise BadReplyError("the stream ended before the reply did")
    message.tool_calls = [calls[at] for at in sorted(calls)] or None
    return msgspec.json.encode(
        {**whole, "choices": [{"message": message, "finish_reason": finish}]}
    )


def _says(field: msgspec.Raw) -> bool:
    return bytes(field) != b"null"


def _add(message: _Delta, calls: dict[int, _Call], delta: _Delta) -> None:
    for name in ("content", "refusal", "reasoning_content", "reasoning"):
        if (more := getattr(delta, name)) is not None:
            setattr(message, name, (getattr(message, name) or "") + more)
    for piece in delta.tool_calls or ():
        at = piece.index
        if at is None:  # some servers number nothing: an id begins another call
            at = len(calls) if piece.id or not calls else len(calls) - 1
        call = calls.setdefault(at, _Call(function=_Function("", "")))
        call.id = call.id or piece.id
        if piece.function is not None and call.function is not None:
            call.function.name = (call.function.name or "") + (piece.function.name or "")
            call.function.arguments = (call.function.arguments or "") + (
                piece.function.arguments or ""
            )
