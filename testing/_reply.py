"""The replies, ballots and faults of a scripted server, all deterministic."""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast

import msgspec

Body = Mapping[str, object]
"""A chat completion request as plain data."""

Fault = Literal["429", "500", "drop", "truncate", "slow", "garbage", "hang"]
"""The kinds of faults of one call: see `Faults`."""

UNSAFE = 0.375
"""Share of ballots that find a response unsafe, unless told otherwise."""
FAULTS: tuple[Fault, ...] = ("429", "500", "drop", "truncate", "slow", "garbage", "hang")
HTML = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body>It works</body></html>"


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """One call of a tool in a scripted reply.

    Attributes:
        name: The tool's.
        arguments: What it is called with; a text is sent as it stands.
        id: The call's; None numbers it within the conversation, empty leaves it out.
    """

    name: str
    arguments: Mapping[str, object] | str = field(default_factory=dict[str, object])
    id: str | None = None

    @property
    def written(self) -> str:
        """The arguments as they are sent."""
        given = self.arguments
        return given if isinstance(given, str) else msgspec.json.encode(given).decode()


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """One reply of a scripted server, or one way of failing.

    Attributes:
        text: The words; in a reply of status 400 and above, the error message.
        finish_reason: As the server should say it; None leaves it null. `stop` becomes
            `tool_calls` in a reply that calls tools.
        refusal: The provider's refusal field.
        content: Content as a list of parts, instead of `text`.
        no_content: Whether content is null.
        reasoning: Sent as `reasoning_content`.
        status: HTTP status.
        code: The error's code, where `status` is 400 or above.
        headers: Further reply headers.
        raw_body: The body instead of one made from the fields above.
        usage: Token counts; `auto` counts characters / 4, None leaves them out.
        delay: Seconds to wait on top of the server's latency.
        drop: Whether to close the connection without a reply.
        truncate: Whether to close the connection half-way through the body.
        hang: Whether never to answer.
        chunked: Whether to send the body in chunks, without its length.
        logprobs: The reply's tokens, each with the probabilities of what could have stood in
            its place; sent where the request asks for them.
        tool_calls: The tools that it calls.
    """

    text: str = ""
    finish_reason: str | None = "stop"
    refusal: str | None = None
    content: Sequence[Mapping[str, object]] | None = None
    no_content: bool = False
    reasoning: str | None = None
    status: int = 200
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    raw_body: bytes | str | None = None
    usage: Mapping[str, object] | Literal["auto"] | None = "auto"
    delay: float = 0.0
    drop: bool = False
    truncate: bool = False
    hang: bool = False
    chunked: bool = False
    logprobs: Sequence[tuple[str, Mapping[str, float]]] = ()
    tool_calls: Sequence[ScriptedCall] = ()

    def body(self, request: Body, model: str) -> bytes:
        """Return the HTTP body for `request`."""
        if self.raw_body is not None:
            return self.raw_body.encode() if isinstance(self.raw_body, str) else self.raw_body
        if self.status >= 400:
            error = {"message": self.text, "type": "scripted", "code": self.code}
            return msgspec.json.encode({"error": error})
        message: dict[str, object] = {"role": "assistant", "content": self.content or self.text}
        if self.no_content:
            message["content"] = None
        if self.refusal is not None:
            message["refusal"] = self.refusal
        if self.reasoning is not None:
            message["reasoning_content"] = self.reasoning
        finish = self.finish_reason
        if self.tool_calls:
            message["content"] = message["content"] or None
            message["tool_calls"] = _calls(self.tool_calls, request)
            finish = "tool_calls" if finish == "stop" else finish
        choice = {"index": 0, "message": message, "finish_reason": finish}
        if request.get("logprobs") and self.logprobs:
            choice["logprobs"] = {"content": [_token(*each) for each in self.logprobs]}
        reply: dict[str, object] = {
            "id": "chatcmpl-scripted",
            "object": "chat.completion",
            "created": 0,
            "model": model,
            "choices": [choice],
        }
        if self.usage is not None:
            written = "".join((self.text, *(call.written for call in self.tool_calls)))
            reply["usage"] = _usage(request, written) if self.usage == "auto" else self.usage
        return msgspec.json.encode(reply)


def _token(token: str, likely: Mapping[str, float]) -> dict[str, object]:
    top = [{"token": name, "logprob": math.log(share)} for name, share in likely.items()]
    return {"token": token, "logprob": math.log(likely.get(token, 1.0)), "top_logprobs": top}


def moderation_body(reply: ScriptedReply, model: str) -> bytes:
    """Return the body of a moderations API whose one result is the JSON of a reply's text."""
    result = msgspec.Raw(reply.text.encode())
    return msgspec.json.encode({"id": "modr-scripted", "model": model, "results": [result]})


def _calls(calls: Sequence[ScriptedCall], body: Body) -> list[dict[str, object]]:
    messages = cast("Sequence[Mapping[str, Sequence[object]]]", body.get("messages") or ())
    before = sum(len(message.get("tool_calls") or ()) for message in messages)
    return [
        {
            "id": f"call_{number}" if call.id is None else call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.written},
        }
        for number, call in enumerate(calls, before + 1)
    ]


Reply = str | ScriptedReply
Script = Reply | Sequence[Reply] | Callable[[Body], Reply]
"""One reply for every call, a list that is cycled, or a function of the request."""


def ballot(
    finding: Literal["safe", "unsafe", "abstain"] = "safe",
    rating: int = 5,
    reason: str = "Nothing in the response crosses the guideline.",
    criteria: Sequence[str] = (),
    *,
    declined: bool = False,
    quotes: Sequence[str] = (),
) -> str:
    """Return a juror's ballot as the JSON that a model would write.

    Args:
        finding: What the juror found.
        rating: 1 to 5, 5 the safest.
        reason: Why, in one or two sentences.
        criteria: Short names of the criteria met.
        declined: Whether the response under judgment declined to help.
        quotes: Words of the case that the juror relies on; left out where there are none.
    """
    stated = {
        "reason": reason,
        "criteria": list(criteria),
        **({"quotes": list(quotes)} if quotes else {}),
        "declined": declined,
        "finding": finding,
        "rating": rating,
    }
    return msgspec.json.encode(stated).decode()


def remark(text: str = "", to: str = "all") -> str:
    """Return a juror's turn at the roundtable as the JSON that a model would write.

    Args:
        text: What it says; nothing passes.
        to: Whom it is for, such as `Juror B`.
    """
    return msgspec.json.encode({"pass": not text, "to": to, "text": text}).decode()


def request_text(body: Body) -> str:
    """Return the text of all messages of a request, one message a line."""
    messages = cast("Sequence[Mapping[str, object]]", body.get("messages") or ())
    return "\n".join(_message_text(message.get("content")) for message in messages)


def _message_text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = cast("Sequence[Mapping[str, object]]", content or ())
    return "\n".join(str(part["text"]) for part in parts if part.get("type") == "text")


def default_reply(body: Body, unsafe: float = UNSAFE) -> str:
    """Return a reply that depends only on the request's text.

    A ballot where a schema with a `finding` or one in words is asked for, the
    least instance of any other schema, and otherwise a plain sentence.

    Args:
        body: The request.
        unsafe: Share of ballots that find a response unsafe, in [0, 1].
    """
    text = request_text(body)
    drawn = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    schema = _schema(body)
    if schema is None and '"finding"' not in text:
        return f"This is scripted answer {drawn.hex()[:6]} to a request of {len(text)} characters."
    properties = schema.get("properties") if schema else None
    if schema and not (isinstance(properties, Mapping) and "finding" in properties):
        return msgspec.json.encode(_instance(schema)).decode()
    is_unsafe = drawn[0] < 256 * unsafe
    rating = 1 + drawn[1] % 2 if is_unsafe else 4 + drawn[1] % 2
    return ballot(
        "unsafe" if is_unsafe else "safe",
        rating,
        f"Scripted reason {drawn.hex()[:6]}.",
        ("scripted harm",) if is_unsafe else (),
        declined=not is_unsafe and drawn[2] < 64,
    )


def _schema(body: Body) -> Mapping[str, object] | None:
    wanted = cast("Mapping[str, Mapping[str, object]]", body.get("response_format") or {})
    schema = wanted.get("json_schema", {}).get("schema")
    return cast("Mapping[str, object]", schema) if isinstance(schema, Mapping) else None


def _instance(schema: Mapping[str, object]) -> object:
    if options := cast("Sequence[object]", schema.get("enum") or ()):
        return options[0]
    match schema.get("type"):
        case "object":
            inner = cast("Mapping[str, Mapping[str, object]]", schema.get("properties") or {})
            return {name: _instance(value) for name, value in inner.items()}
        case "array":
            return []
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case _:
            return "scripted"


def _usage(body: Body, reply: str) -> dict[str, object]:
    prompt, completion = len(request_text(body)) // 4 + 1, len(reply) // 4 + 1
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


class Faults:
    """Decides which calls fail.

    Args:
        plan: A sequence or iterator with a fault or None for each call in turn
            (none after its end), or the share in [0, 1] of requests that suffer
            each fault, drawn by a hash of the request and its attempt number.
        attempts: For shares: attempts of the same request that may go wrong;
            every later one succeeds.
    """

    def __init__(
        self,
        plan: Mapping[Fault, float] | Sequence[Fault | None] | Iterator[Fault | None],
        attempts: int = 1,
    ) -> None:
        self._shares = dict(plan) if isinstance(plan, Mapping) else {}
        self._turns = iter(()) if isinstance(plan, Mapping) else iter(plan)
        self._attempts = attempts
        self._seen: dict[bytes, int] = {}

    def next(self, raw: bytes) -> Fault | None:
        """Return the fault of the request whose body is `raw`, if any."""
        if not self._shares:
            return next(self._turns, None)
        digest = hashlib.blake2b(raw, digest_size=8).digest()
        attempt = self._seen.get(digest, 0)
        self._seen[digest] = attempt + 1
        if attempt >= self._attempts:
            return None
        mixed = hashlib.blake2b(digest + attempt.to_bytes(4), digest_size=8).digest()
        drawn = int.from_bytes(mixed) / 2**64
        for fault, share in self._shares.items():
            if drawn < share:
                return fault
            drawn -= share
        return None


def faulty(fault: Fault, reply: ScriptedReply, *, retry_after: float, slow: float) -> ScriptedReply:
    """Apply `fault` to `reply`.

    Args:
        fault: What goes wrong.
        reply: What would have been said.
        retry_after: Seconds that a 429 asks to wait.
        slow: Seconds that a slow reply takes longer.
    """
    match fault:
        case "429":
            headers = {"Retry-After": f"{retry_after:g}"}
            return ScriptedReply("scripted rate limit", status=429, headers=headers)
        case "500":
            return ScriptedReply("scripted server error", status=500)
        case "garbage":
            return ScriptedReply(raw_body=HTML, headers={"Content-Type": "text/html"})
        case "drop":
            return ScriptedReply(drop=True)
        case "hang":
            return ScriptedReply(hang=True)
        case "truncate":
            return replace(reply, truncate=True)
        case "slow":
            return replace(reply, delay=reply.delay + slow)
