"""Whether words of cases are sent, and how messages are written then."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass

from ....datasets import ToolCall
from ....models import AudioPart, ChatMessage, Completion, ImagePart, Part, TextPart, redactor

_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_YES = {"true", "1", "yes"}


@dataclass(frozen=True, slots=True)
class Content:
    """What is sent of the words of questions, responses and jurors; nothing by default.

    Attributes:
        spans: Whether the spans of calls have their messages.
        events: Whether the events of verdicts and ballots have their reasons.
    """

    spans: bool = False
    events: bool = False

    @classmethod
    def of(cls, said: bool | None) -> "Content":
        """Return what the config says, or else the environment.

        Args:
            said: All or nothing; None for what the variable of OpenTelemetry says.
        """
        if said is not None:
            return cls(said, said)
        word = os.environ.get(_VARIABLE, "").strip().casefold()
        both = word in _YES or word == "span_and_event"
        return cls(both or word == "span_only", both or word == "event_only")


def asked(messages: Iterable[ChatMessage]) -> str:
    """Return the messages of a request as JSON by the conventions; media by their hashes."""
    return _json([{"role": turn.role, "parts": _parts(turn)} for turn in messages])


def answered(completion: Completion, finish_reason: str) -> str:
    """Return a reply as JSON by the conventions."""
    parts: list[object] = [
        {"type": "text", "content": completion.text},
        *_calls(completion.tool_calls),
    ]
    return _json([{"role": "assistant", "parts": parts, "finish_reason": finish_reason}])


def _parts(turn: ChatMessage) -> list[dict[str, object]]:
    parts: list[dict[str, object]] = [_part(part) for part in turn.parts]
    if turn.role == "tool":
        return [{"type": "tool_call_response", "id": turn.tool_call_id, "response": parts}]
    return [*parts, *_calls(turn.tool_calls)]


def _calls(calls: Iterable[ToolCall]) -> list[dict[str, object]]:
    return [
        {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments}
        for call in calls
    ]


def _part(part: Part) -> dict[str, object]:
    match part:
        case TextPart(text):
            return {"type": "text", "content": text}
        case ImagePart(media):
            uri, kind = f"sha256:{media.sha256}", "image"
        case AudioPart(media):
            uri, kind = f"sha256:{media.sha256}", "audio"
    return {"type": "uri", "modality": kind, "mime_type": media.media_type, "uri": uri}


def _json(value: object) -> str:
    return redactor.redact(json.dumps(value, ensure_ascii=False))
