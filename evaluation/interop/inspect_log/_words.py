"""Writes queries, responses and media as chat messages of Inspect, withheld unless revealed."""

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    Content,
    ContentAudio,
    ContentDocument,
    ContentImage,
    ContentText,
    ContentVideo,
)
from inspect_ai.tool import ToolCall as TheirToolCall

from ....common import RecordChangedError
from ....datasets import Media, Message, MessagePart, Query

_SOUNDS = {"audio/wav": "wav", "audio/mpeg": "mp3"}
_VIDEOS = {"video/mp4": "mp4"}


@dataclass(frozen=True, slots=True)
class Words:
    """Writes the words and media of a run, or that they are withheld.

    Attributes:
        directory: The run's directory, for messages.
        reveal: Whether to write them.
    """

    directory: Path
    reveal: bool

    def text(self, said: str) -> str:
        """Return a text, or that it is withheld."""
        if self.reveal or not said:
            return said
        return f"(withheld, {len(said):,} characters: export the run with --reveal to read them)"

    def error(self, said: str | None) -> str | None:
        """Return what went wrong, or that it is withheld: endpoints quote what they refuse."""
        return None if said is None else self.text(said)

    def question(self, query: Query) -> list[ChatMessage]:
        """Return what a target was asked."""
        if query.messages:
            return self.turns(query.messages)
        parts = [MessagePart("text", query.text)] if query.text else []
        parts += [MessagePart("image", media=image) for image in query.images]
        if query.audio is not None:
            parts.append(MessagePart("audio", media=query.audio))
        return self.turns([Message("user", tuple(parts))])

    def turns(self, turns: Iterable[Message]) -> list[ChatMessage]:
        """Return the turns of a conversation."""
        return [self._turn(turn) for turn in turns]

    def answer(self, text: str, model: str) -> ChatMessageAssistant:
        """Return a target's last words."""
        return ChatMessageAssistant(content=self.text(text), model=model, source="generate")

    def _turn(self, turn: Message) -> ChatMessage:
        content = _content(self._parts(turn.parts))
        match turn.role:
            case "system":
                return ChatMessageSystem(content=content)
            case "user":
                return ChatMessageUser(content=content)
            case "assistant":
                calls = [
                    TheirToolCall(
                        id=call.id or f"call-{number}",
                        function=call.name,
                        arguments=self._arguments(call.arguments),
                    )
                    for number, call in enumerate(turn.tool_calls, 1)
                ]
                return ChatMessageAssistant(content=content, tool_calls=calls or None)
            case "tool":
                return ChatMessageTool(
                    content=content, tool_call_id=turn.tool_call_id, function=turn.name
                )

    def _arguments(self, written: str) -> dict[str, Any]:
        if not self.reveal:
            return {"withheld": self.text(written)}
        try:
            found = json.loads(written or "{}")
        except ValueError:
            found = written
        return cast("dict[str, Any]", found) if isinstance(found, dict) else {"arguments": found}

    def _parts(self, parts: Iterable[MessagePart]) -> Iterator[Content]:
        for part in parts:
            if part.media is None:
                yield ContentText(text=self.text(part.text))
            elif self.reveal:
                yield self._medium(part.kind, part.media)
            else:
                yield ContentText(text=f"({part.kind} withheld: {part.media.media_type})")

    def _medium(self, kind: str, media: Media) -> Content:
        address = f"data:{media.media_type};base64,{base64.b64encode(self._read(media)).decode()}"
        if kind == "image":
            return ContentImage(image=address)
        if kind == "audio" and media.media_type in _SOUNDS:
            sound = cast(Literal["wav", "mp3"], _SOUNDS[media.media_type])
            return ContentAudio(audio=address, format=sound)
        if kind == "video" and media.media_type in _VIDEOS:
            return ContentVideo(video=address, format="mp4")
        # Inspect knows no other formats of sound and video.
        return ContentDocument(
            document=address, filename=media.sha256[:12], mime_type=media.media_type
        )

    def _read(self, media: Media) -> bytes:
        try:
            content = media.read()
        except OSError as error:
            why = f"cannot be read ({error.strerror})"
        else:
            if media.matches(content):
                return content
            why = "has different content"
        raise RecordChangedError(
            f"{self.directory}: the medium {media.sha256[:12]} {why}: restore it from a copy, or "
            "leave --reveal out"
        )


def _content(parts: Iterator[Content]) -> str | list[Content]:
    found: Sequence[Content] = list(parts)
    if len(found) == 1 and isinstance(found[0], ContentText):
        return found[0].text
    return list(found)
