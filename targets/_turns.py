"""Converts a query to chat messages, without media that the model does not accept."""

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import count

from ..datasets import Message, MessagePart, Query
from ..models import AudioPart, ChatMessage, ImagePart, Modality, Part, TextPart

_WITHHELD = {
    "image": "the picture was withheld: the model takes none",
    "audio": "the sound was withheld: the model takes none",
    "video": "the video was withheld: videos are not sent",
}
WITHHELD_NOTES = frozenset(_WITHHELD.values())
"""The notes of a response about media that the model does not accept."""


def turns_of(query: Query) -> tuple[Message, ...]:
    """Return the turns of a query; a text with media is one user turn.

    Its pictures come first, so that servers can share their encoding.
    """
    if query.messages:
        return query.messages
    images = (MessagePart("image", media=image) for image in query.images)
    sounds = (MessagePart("audio", media=sound) for sound in query.sounds)
    return (Message("user", (*images, *sounds, MessagePart("text", query.text))),)


def withheld_of(query: Query, taken: Collection[Modality]) -> tuple[str, ...]:
    """Describe the media left out because the model does not accept them, one sentence per kind."""
    kinds = {part.kind for turn in turns_of(query) for part in turn.parts}
    return tuple(note for kind, note in _WITHHELD.items() if kind in kinds and kind not in taken)


def chat_messages(query: Query, taken: frozenset[Modality]) -> tuple[ChatMessage, ...]:
    """Convert a query to chat messages, without media that the model does not accept.

    Calls of tools have an id, and each result that of its call, as providers demand: where
    there is none, results answer the calls in order.
    """
    open_calls = deque[str]()
    numbers = count(1)
    messages: list[ChatMessage] = []
    for turn in turns_of(query):
        calls = tuple(
            call if call.id else replace(call, id=f"unnamed_{next(numbers)}")
            for call in turn.tool_calls
        )
        open_calls.extend(call.id for call in calls)
        answered = turn.tool_call_id
        if turn.role == "tool" and answered is None and open_calls:
            answered = open_calls[0]
        if answered in open_calls:
            open_calls.remove(answered)
        messages.append(
            ChatMessage(turn.role, tuple(_sent(turn, taken)), calls, answered, turn.name)
        )
    return tuple(messages)


def _sent(turn: Message, taken: frozenset[Modality]) -> Iterator[Part]:
    for part in turn.parts:
        if part.media is None:
            yield TextPart(part.text)
        elif part.kind == "image" and "image" in taken:
            yield ImagePart(part.media)
        elif part.kind == "audio" and "audio" in taken:
            yield AudioPart(part.media)
