"""Turns a scripted reply into a stream of events, as servers send it when they are asked to."""

import re
from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from ._reply import Body

EVENT_STREAM = {"Content-Type": "text/event-stream"}
_PIECES = re.compile(r"\S+\s*|\s+")


def as_stream(body: Body, reply: bytes) -> bytes:
    """Return a chat completion as events: the text word by word, each call in three parts."""
    said = msgspec.json.decode(reply, type=dict[str, object])
    events = [msgspec.json.encode(chunk) for chunk in _chunks(body, said)]
    return b"".join(b"data: %b\n\n" % event for event in (*events, b"[DONE]"))


def _chunks(body: Body, said: Mapping[str, object]) -> Iterator[dict[str, object]]:
    whole = {**said, "object": "chat.completion.chunk"}
    usage = whole.pop("usage", None)
    for choice in cast("list[dict[str, object]]", said.get("choices") or []):
        message = cast("dict[str, object]", choice.get("message") or {})
        for delta in _deltas(message):
            yield {**whole, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        finish = choice.get("finish_reason")
        yield {**whole, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    options = cast("Mapping[str, object]", body.get("stream_options") or {})
    if usage is not None and options.get("include_usage"):
        yield {**whole, "choices": [], "usage": usage}


def _deltas(message: Mapping[str, object]) -> Iterator[dict[str, object]]:
    yield {"role": "assistant", "content": ""}
    for name in ("reasoning_content", "refusal", "content"):
        for piece in _PIECES.findall(str(message.get(name) or "")):
            yield {name: piece}
    for at, call in enumerate(cast("list[dict[str, object]]", message.get("tool_calls") or [])):
        function = cast("dict[str, str]", call["function"])
        words = function["arguments"]
        yield {"tool_calls": [{**call, "index": at, "function": {**function, "arguments": ""}}]}
        for part in (words[: len(words) // 2], words[len(words) // 2 :]):
            yield {"tool_calls": [{"index": at, "function": {"arguments": part}}]}
