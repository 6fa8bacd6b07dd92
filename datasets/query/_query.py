"""Queries, their messages and media."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from ...common import no_items

Role = Literal["system", "user", "assistant", "tool"]
"""The role of a turn in a conversation; `tool` is the result of a tool call."""
MediaKind = Literal["image", "audio", "video"]
PartKind = Literal["text", "image", "audio", "video"]


class Intent(StrEnum):
    """The intent of a query: harmful or benign."""

    HARMFUL = "harmful"
    """A compliant response would be unsafe: counts toward the attack success rate."""
    BENIGN = "benign"
    """A harmless twin: refusing it counts toward over-refusal."""


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, audio or video file, identified by the hash of its bytes.

    Only this reference travels between agents; the bytes are read where a
    request is built.

    Attributes:
        sha256: Hex digest of the file's bytes.
        media_type: MIME type, such as `image/png`.
        size: Length in bytes.
        path: Where the bytes lie.
    """

    sha256: str
    media_type: str
    size: int
    path: str

    def read(self) -> bytes:
        """Read the file's bytes."""
        return Path(self.path).read_bytes()

    def matches(self, content: bytes) -> bool:
        """Return whether these bytes have the hash `sha256`."""
        return hashlib.sha256(content).hexdigest() == self.sha256


@dataclass(frozen=True, slots=True)
class MessagePart:
    """One part of a message: text, or a picture, audio or video.

    Attributes:
        kind: What it is. A video passes through by its hash, and is never decoded here.
        text: The words; empty for media.
        media: The picture, sound or video; None for words.
    """

    kind: PartKind
    text: str = ""
    media: Media | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call in an assistant's message.

    Attributes:
        name: The tool's name.
        arguments: What it is called with, as it was written: JSON, as a rule.
        id: The id that the tool's message refers to; empty if unknown.
    """

    name: str
    arguments: str
    id: str = field(default="", metadata={"ours": False})  # so that keys in it are hidden


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Attributes:
        role: Who speaks.
        parts: What is said and shown, in its order.
        tool_calls: The tools that an assistant calls.
        tool_call_id: The call that a tool's message answers, None if unknown.
        name: The tool that answers, None if unknown.
    """

    role: Role
    parts: tuple[MessagePart, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None

    @property
    def text(self) -> str:
        """The text of all parts, without media."""
        return "\n".join(part.text for part in self.parts if part.kind == "text")


@dataclass(frozen=True, slots=True)
class Query:
    """One query to a target: a text with media, or a conversation.

    A conversation is in `messages`, and `of_messages` makes the query of it: `text`,
    `images` and `audio` then repeat what `messages` has, so that code that counts, filters,
    limits or lists queries need not know the difference.

    Attributes:
        id: Unique within its dataset.
        scenario: Canonical id of one of the 23 scenarios.
        text: What is asked; of a conversation the words of the user's last turn that has any.
        intent: Harmful, or a benign twin.
        images: Pictures that go with the text, in the order in which they are sent; those
            of all turns of a conversation.
        audio: Sound that goes with the text; the first one of a conversation.
        source: Where the query comes from, for attribution.
        underlying_request: What text and media ask for together, where the set says so in
            words of its own; None where `text` says it all. The jury reads it, a target
            never does.
        intent_assumed: Whether nothing said the intent, so that `harmful` is a guess.
        labels: What the set itself says of the query, by name, such as its own category.
            Neither the target nor the jury sees them; reports break down by them.
        messages: The turns of a conversation, oldest first; empty for a text with its media.
            A system message in it is a part of what is asked.
        variants: Other media of the set for the same query, for conditions: recordings by their
            voices, and the first drawing under `naive`. None without any, and in records.
    """

    id: str
    scenario: str
    text: str
    intent: Intent
    images: tuple[Media, ...] = ()
    audio: Media | None = None
    source: str | None = None
    underlying_request: str | None = None
    intent_assumed: bool = False
    labels: Mapping[str, str] = field(default_factory=no_items, hash=False)
    messages: tuple[Message, ...] = ()
    variants: Mapping[str, Media] | None = field(default=None, hash=False)

    @property
    def others(self) -> Mapping[str, Media]:
        """The `variants`, empty where there are none."""
        return self.variants or {}

    @property
    def media(self) -> tuple[Media, ...]:
        """All media: pictures first, or in the order of the turns."""
        if self.messages:
            return media_in(self.messages)
        return self.images if self.audio is None else (*self.images, self.audio)

    @property
    def sounds(self) -> tuple[Media, ...]:
        """All audio, in order."""
        if self.messages:
            return media_in(self.messages, "audio")
        return () if self.audio is None else (self.audio,)


def media_in(messages: tuple[Message, ...], kind: MediaKind | None = None) -> tuple[Media, ...]:
    """Return the media of a conversation in order: all, or those of one kind."""
    parts = (part for message in messages for part in message.parts)
    return tuple(
        part.media for part in parts if part.media is not None and kind in (None, part.kind)
    )


def content_of(query: Query) -> list[object]:
    """Return a query's content for hashing; media are represented by their hashes."""
    images = [image.sha256 for image in query.images]
    audio = query.audio and query.audio.sha256
    content: list[object] = [query.id, query.scenario, query.text]
    content += [query.intent.value, images, audio, query.source]
    return content + added_content(query)


def added_content(query: Query) -> list[object]:
    """Return the content of newer fields, only those that the query uses.

    Only there: sets without keep the hash that their runs know them by.
    """
    added = (
        query.underlying_request,
        dict(sorted(query.labels.items())) or None,
        content_of_messages(query.messages) or None,
        {"variants": {name: it.sha256 for name, it in sorted(query.others.items())}}
        if query.others
        else None,
    )
    return [part for part in added if part is not None]


def content_of_messages(messages: tuple[Message, ...]) -> list[object]:
    """Return a conversation's content for hashing; media are represented by their hashes."""
    return [
        [
            message.role,
            [[part.kind, part.media.sha256 if part.media else part.text] for part in message.parts],
            [[call.name, call.arguments, call.id] for call in message.tool_calls],
            message.tool_call_id,
            message.name,
        ]
        for message in messages
    ]


def assumed_note(number: int, instead: str) -> tuple[str, ...]:
    """Return a warning about queries whose intent was assumed, if there are any.

    Args:
        number: How many there are.
        instead: What to do about it.
    """
    if not number:
        return ()
    several = f"{number:,} queries have no intent and are"
    those = "1 query has no intent and is" if number == 1 else several
    return (f"{those} assumed harmful: {instead}",)
