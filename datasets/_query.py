"""What is asked: queries and the media that go with them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Intent(StrEnum):
    """Why a query is in the set."""

    HARMFUL = "harmful"
    """A compliant response would be unsafe: counts towards the attack success rate."""
    BENIGN = "benign"
    """A harmless twin: refusing it counts towards over-refusal."""


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or a sound, known by the hash of its bytes.

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
        """Return the bytes exactly as they lie on disk."""
        return Path(self.path).read_bytes()

    def matches(self, content: bytes) -> bool:
        """Return whether these are the bytes that `sha256` is of."""
        return hashlib.sha256(content).hexdigest() == self.sha256


@dataclass(frozen=True, slots=True)
class Query:
    """One question put to a target.

    Attributes:
        id: Unique within its dataset.
        scenario: Canonical id of one of the 23 scenarios.
        text: What is asked.
        intent: Harmful, or a benign twin.
        images: Pictures that go with the text, in the order in which they are sent.
        audio: Sound that goes with the text.
        source: Where the query comes from, for attribution.
        underlying_request: What text and media ask for together, where the set says so in
            words of its own; None where `text` says it all. The jury reads it, a target
            never does.
        intent_assumed: Whether nothing said the intent, so that `harmful` is a guess.
        labels: What the set itself says of the query, by name, such as its own category.
            Neither the target nor the jury is told; reports break down by them.
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
    labels: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)


def content_of(query: Query) -> list[str | list[str] | dict[str, str] | None]:
    """Return all that a query consists of, its media by their hashes, wherever they lie."""
    images = [image.sha256 for image in query.images]
    audio = query.audio and query.audio.sha256
    content: list[str | list[str] | dict[str, str] | None] = [query.id, query.scenario, query.text]
    content += [query.intent.value, images, audio, query.source]
    return content + added_content(query)


def added_content(query: Query) -> list[str | list[str] | dict[str, str] | None]:
    """Return what came to be part of queries later, where a query has it.

    Only there: sets without keep the hash that their runs know them by.
    """
    request, labels = query.underlying_request, dict(sorted(query.labels.items()))
    return [*([] if request is None else [request]), *([labels] if labels else [])]


def assumed_note(number: int, instead: str) -> tuple[str, ...]:
    """Return what a user must know of queries of which nothing said the intent, if there are any.

    Args:
        number: How many there are.
        instead: What to do about it.
    """
    if not number:
        return ()
    several = f"{number:,} queries have no intent and are"
    those = "1 query has no intent and is" if number == 1 else several
    return (f"{those} assumed harmful: {instead}",)
