"""Decodes replies to chat completion requests."""

import hashlib
import json
import re
from codecs import BOM_UTF8
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from ...common import BadReplyError
from ...datasets import ToolCall
from ..chat import Completion, FinishReason, SentRequest, TokenLogprobs, Usage, without_keys
from ._error_reply import FILTER_NOTE, ErrorReply, decode_error

REASONING_NOTE = "the reply has reasoning but no answer"
FILTERED_REPLY = Completion(
    "", "content_filter", usage=Usage(completion_tokens=0), notes=(FILTER_NOTE,)
)
"""The usage of a request that a filter rejected: the provider may have read the prompt."""

_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "end_turn": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
}
# Servers name a cap of theirs as they like: `max_new_tokens`, `context_window_exceeded`.
_CUT_OFF = re.compile("length|limit|max|trunc|incomplete|window")
_FILTERS = {
    "blocklist",
    "content_filter",
    "content_filtered",
    "data_inspection_failed",
    "guardrail_intervened",
    "image_prohibited_content",
    "image_safety",
    "prohibited_content",
    "recitation",
    "refusal",
    "safety",
    "sensitive",
    "spii",
}
_NULL = msgspec.Raw(b"null")


class _Piece(msgspec.Struct):
    type: str = "text"
    text: str | None = None
    refusal: str | None = None


class _Function(msgspec.Struct):
    name: str = ""
    arguments: str | dict[str, object] | None = None


class _Call(msgspec.Struct):
    function: _Function
    id: str | None = None


class _Message(msgspec.Struct):
    content: str | list[_Piece | str] | None = None
    refusal: str | None = None
    reasoning_content: msgspec.Raw = _NULL
    reasoning: msgspec.Raw = _NULL
    tool_calls: msgspec.Raw = _NULL


class _Choice(msgspec.Struct):
    message: _Message | None = None
    finish_reason: str | None = None
    error: msgspec.Raw = _NULL
    logprobs: msgspec.Raw = _NULL


class _Likely(msgspec.Struct):
    token: str
    logprob: float


class _Token(msgspec.Struct):
    token: str
    top_logprobs: list[_Likely] = []


class _Logprobs(msgspec.Struct):
    content: list[_Token]


class _Reply(msgspec.Struct):
    choices: list[_Choice] | None = None
    model: str | None = None
    usage: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL
    prompt_feedback: msgspec.Raw = _NULL
    promptFeedback: msgspec.Raw = _NULL


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _ReplyDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _ReplyDetails | None = None


_replies = msgspec.json.Decoder(_Reply)
_calls: msgspec.json.Decoder[list[_Call] | None] = msgspec.json.Decoder(list[_Call] | None)
_usages = msgspec.json.Decoder(_Usage | None, strict=False)  # takes 12.0 for 12
_TOKENS_KEPT = 64
"""Tokens of a reply whose alternatives are kept."""


class InlineError(Exception):
    """A reply of status 200 that reports an error in its body."""

    def __init__(self, body: bytes) -> None:
        super().__init__("error in a reply of status 200")
        self.body = body


@dataclass(frozen=True, slots=True)
class Rejection:
    """A reply that rejects the request.

    Attributes:
        status: HTTP status; that of an error in a reply of status 200 is the one that it
            names, else 502.
        complaint: What it says.
    """

    status: int
    complaint: ErrorReply


class CallFacts(NamedTuple):
    """What a completion says of the call that its reply answers; see `Completion`."""

    notes: tuple[str, ...] = ()
    sent: SentRequest | None = None
    latency_s: float = 0.0


_UNKNOWN = CallFacts()


def read_reply(
    status: int, body: bytes, *, tools: bool = False, call: CallFacts = _UNKNOWN
) -> Completion | Rejection:
    """Decode a server's reply: a completion or a rejection.

    Args:
        status: HTTP status.
        body: What came with it.
        tools: Whether the model was offered tools; else its calls of any are ignored.
        call: What the completion says of its call.

    Raises:
        BadReplyError: A 200 that is neither a chat completion nor an error; permanent
            where it is not JSON at all.
    """
    if status != 200:
        return Rejection(status, decode_error(body))
    try:
        return decode_reply(body, tools=tools, call=call)
    except InlineError as inline:
        complaint = decode_error(inline.body)
        code = complaint.code
        named = int(code) if code.isdecimal() and 400 <= int(code) < 600 else 502
        return Rejection(named, complaint)


def decode_reply(body: bytes, *, tools: bool = False, call: CallFacts = _UNKNOWN) -> Completion:
    """Decode the body of a 200 reply to a completion, without known keys; see `read_reply`.

    Raises:
        BadReplyError: It holds none; permanent where it is not JSON at all.
        InlineError: It holds an error.
    """
    body = body.removeprefix(BOM_UTF8)
    try:
        reply = _replies.decode(body)
    except msgspec.ValidationError as error:
        raise BadReplyError(f"the reply is not a chat completion: {error}") from error
    except (ValueError, RecursionError) as error:
        if (mended := _without_constants(body)) is not None:
            return decode_reply(mended, tools=tools, call=call)
        raise _not_json(body) from error
    if not reply.choices:
        return _without_choices(reply, body, call)
    choice = reply.choices[0]
    if choice.error is not _NULL and _says(choice.error):
        raise InlineError(b'{"error":%b}' % bytes(choice.error))
    finish, notes = read_finish(choice.finish_reason)
    message = choice.message
    if message is None:
        if finish != "content_filter":
            raise BadReplyError("the reply is not a chat completion: its choice has no message")
        message = _Message()
    text, refusal = _words(message)
    calls = _called(message.tool_calls) if tools else ()
    usage, reasoned = usage_of(reply.usage)
    if not text and not calls and finish != "content_filter":
        reasoned = reasoned or _says(message.reasoning_content) or _says(message.reasoning)
        notes = (*notes, REASONING_NOTE) if reasoned else notes
    return without_keys(
        Completion(
            text,
            finish,
            refusal=refusal,
            usage=usage,
            latency_s=call.latency_s,
            provider_model=reply.model,
            notes=(*notes, *call.notes),
            sent=call.sent,
            logprobs=_logprobs(choice.logprobs),
            called=calls or UNSET,
        )
    )


def _called(field: msgspec.Raw) -> tuple[ToolCall, ...]:
    """Return the calls of tools in a reply; each has an id, whether the server gave it or not."""
    try:
        calls: list[_Call] = _calls.decode(field) or []
    except ValueError as error:
        raise BadReplyError(f"the reply's tool_calls cannot be read: {error}") from error
    made = list[ToolCall]()
    for number, call in enumerate(calls):
        words = call.function.arguments or ""
        if not isinstance(words, str):  # some servers send the object itself
            words = msgspec.json.encode(words).decode()
        # Made of the call, so that a call that is repeated from a journal has the same one.
        drawn = f"{number}\0{call.function.name}\0{words}".encode("utf-8", "surrogatepass")
        name = call.id or f"call_{hashlib.sha256(drawn).hexdigest()[:16]}"
        made.append(ToolCall(call.function.name, words if words.strip() else "{}", name))
    return tuple(made)


def _without_choices(reply: _Reply, body: bytes, call: CallFacts) -> Completion:
    if _says(reply.error):
        raise InlineError(body)
    if _says(reply.prompt_feedback) or _says(reply.promptFeedback):
        usage, _ = usage_of(reply.usage)
        notes = (FILTER_NOTE, *call.notes)
        said = Completion("", "content_filter", usage=usage, provider_model=reply.model)
        return without_keys(replace(said, **call._replace(notes=notes)._asdict()))
    raise BadReplyError("the reply is not a chat completion: it has no choices")


def read_finish(said: str | None) -> tuple[FinishReason, tuple[str, ...]]:
    """Return the finish reason of a reply, and a note if it names a specific filter."""
    if said == "stop":
        return "stop", ()
    reason = (said or "").lower().removeprefix("finishreason.")
    if reason in _FINISH:
        return _FINISH[reason], ()
    kind, _, inner = reason.partition(":")  # such as `content_filter: RECITATION`
    if kind.strip() not in _FILTERS:
        return "length" if _CUT_OFF.search(reason) else "other", ()
    named = inner.strip() if inner.strip() in _FILTERS else kind.strip()
    if named == "content_filter":
        return "content_filter", ()
    return "content_filter", (f"the provider ended the reply with {named}",)


def _words(message: _Message) -> tuple[str, str | None]:
    content = message.content
    if content is None or isinstance(content, str):
        return content or "", message.refusal or None
    pieces = [_Piece(text=piece) if isinstance(piece, str) else piece for piece in content]
    text = "".join(piece.text or "" for piece in pieces if piece.type in ("text", "output_text"))
    refusals = [piece.refusal for piece in pieces if piece.refusal]
    return text, message.refusal or "\n".join(refusals) or None


def _logprobs(field: msgspec.Raw) -> tuple[TokenLogprobs, ...] | UnsetType:
    """Return the alternatives of the first tokens, unset where there are none."""
    if not _says(field):
        return UNSET
    try:
        tokens = msgspec.json.decode(field, type=_Logprobs).content[:_TOKENS_KEPT]
    except ValueError:  # in the form of another API
        return UNSET
    return tuple(
        TokenLogprobs(each.token, tuple((top.token, top.logprob) for top in each.top_logprobs))
        for each in tokens
    )


def _says(field: msgspec.Raw) -> bool:
    return bytes(field) not in (b"null", b'""', b"{}", b"")


def usage_of(field: msgspec.Raw) -> tuple[Usage, bool]:
    """Return the token usage, and whether it includes reasoning."""
    try:
        usage = _usages.decode(field)
    except ValueError:
        usage = None
    if usage is None:
        return Usage(), False
    prompt, reply = usage.prompt_tokens_details, usage.completion_tokens_details
    cached = prompt.cached_tokens if prompt is not None else None
    reasoned = reply is not None and (reply.reasoning_tokens or 0) > 0
    return Usage(usage.prompt_tokens, cached, usage.completion_tokens), reasoned


def _without_constants(body: bytes) -> bytes | None:
    """Return a reply with NaN and infinities replaced by null, None if it has none.

    Some servers report `NaN` in their usage: that must not lose the reply.
    """
    if b"NaN" not in body and b"Infinity" not in body:
        return None
    found = list[str]()
    try:
        reply = json.loads(body, parse_constant=found.append)  # which returns None
    except (ValueError, RecursionError):
        return None
    return msgspec.json.encode(reply) if found else None


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
