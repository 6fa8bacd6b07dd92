"""A query as the messages that a model is sent, with what it takes of its media."""

from collections.abc import Collection, Iterator

from ..datasets import Message, MessagePart, Query
from ..models import AudioPart, ChatMessage, ImagePart, Modality, Part, TextPart

_WITHHELD = {
    "image": "the picture was withheld: the model takes none",
    "audio": "the sound was withheld: the model takes none",
    "video": "the video was withheld: videos are not sent",
}
WITHHELD_NOTES = frozenset(_WITHHELD.values())
"""What notes of a response say where the model takes no such media."""


def turns_of(query: Query) -> tuple[Message, ...]:
    """Return the turns of a query; a text with its media is one turn of the user.

    Its pictures come first, so that servers can share their encoding.
    """
    if query.messages:
        return query.messages
    images = (MessagePart("image", media=image) for image in query.images)
    sounds = (MessagePart("audio", media=sound) for sound in query.sounds)
    return (Message("user", (*images, *sounds, MessagePart("text", query.text))),)


def withheld_of(query: Query, taken: Collection[Modality]) -> tuple[str, ...]:
    """Return what to note of the media that a model does not take, one sentence a kind."""
    kinds = {part.kind for turn in turns_of(query) for part in turn.parts}
    return tuple(note for kind, note in _WITHHELD.items() if kind in kinds and kind not in taken)


def chat_messages(query: Query, taken: frozenset[Modality]) -> tuple[ChatMessage, ...]:
    """Return all turns of a query, without the media that a model does not take."""
    return tuple(
        ChatMessage(
            turn.role,
            tuple(_sent(turn, taken)),
            tool_calls=turn.tool_calls,
            tool_call_id=turn.tool_call_id,
            name=turn.name,
        )
        for turn in turns_of(query)
    )


def _sent(turn: Message, taken: frozenset[Modality]) -> Iterator[Part]:
    for part in turn.parts:
        if part.media is None:
            yield TextPart(part.text)
        elif part.kind == "image" and "image" in taken:
            yield ImagePart(part.media)
        elif part.kind == "audio" and "audio" in taken:
            yield AudioPart(part.media)
