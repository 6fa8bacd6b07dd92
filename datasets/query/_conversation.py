"""Builds queries from conversations, and replaces media in them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from ...common import DatasetError
from ._query import Media, MediaKind, Message, MessagePart, Query, Role, media_in

MOST_MESSAGES = 1000
"""Turns of a conversation at most; a file of more is something else."""
NOUNS: dict[MediaKind, str] = {"image": "picture", "audio": "sound", "video": "video"}
"""The noun for media of each kind."""
_ASKED_LAST: tuple[Role, ...] = ("user", "tool")


def of_messages(query: Query, messages: Iterable[Message]) -> Query:
    """Return the query with turns; `text`, `images` and `audio` are taken from them.

    Args:
        query: What is known beside the turns.
        messages: The turns, oldest first.
    """
    turns = tuple(messages)
    said = [turn.text for turn in turns if turn.role == "user" and turn.text.strip()]
    return replace(
        query,
        text=said[-1] if said else "",
        images=media_in(turns, "image"),
        audio=next(iter(media_in(turns, "audio")), None),
        messages=turns,
    )


def check_messages(messages: tuple[Message, ...]) -> None:
    """Raise an error for turns that cannot be sent to a model.

    Raises:
        DatasetError: There are too many or none, nothing is said or shown, or the last turn
            is not one that a model answers.
    """
    if not messages:
        raise DatasetError("'messages' is empty; write the turns, or give 'text' instead")
    if len(messages) > MOST_MESSAGES:
        raise DatasetError(
            f"'messages' has {len(messages):,} turns, more than {MOST_MESSAGES:,}; is it one "
            "conversation?"
        )
    if messages[-1].role not in _ASKED_LAST:
        raise DatasetError(
            f"'messages' ends with a turn of the {messages[-1].role}; a model answers one of the "
            "user or of a tool"
        )
    if not any(turn.role != "system" and _says(turn) for turn in messages):
        raise DatasetError("'messages' says nothing: no turn of it has words or media")


def _says(turn: Message) -> bool:
    return bool(turn.text.strip() or turn.tool_calls or media_in((turn,)))


def unread(place: str, kind: MediaKind) -> MessagePart:
    """Return a message part whose media file is not read yet."""
    return MessagePart(kind, media=Media("", "", 0, place))


def read_parts(
    messages: Iterable[Message], read: Callable[[str, MediaKind], Media]
) -> tuple[Message, ...]:
    """Read the media of `unread` parts and return the turns with them.

    Args:
        messages: The turns.
        read: Returns the medium of a place and a kind; asked in the order of the turns.
    """
    return _with_parts(
        messages,
        lambda part: (
            part
            if part.kind == "text" or part.media is None
            else replace(part, media=read(part.media.path, part.kind))
        ),
    )


def with_media(query: Query, change: Callable[[Media], Media]) -> Query:
    """Return the query with changed media references, such as after a copy."""
    if not query.media:
        return query
    return replace(
        query,
        images=tuple(map(change, query.images)),
        audio=query.audio and change(query.audio),
        messages=_with_parts(
            query.messages,
            lambda part: part if part.media is None else replace(part, media=change(part.media)),
        ),
    )


def with_images(query: Query, images: tuple[Media, ...]) -> Query:
    """Return the query with its pictures replaced in place, or removed if none are given.

    Args:
        query: The query.
        images: As many as it has, or none.
    """
    if images == query.images:
        return query
    left = iter(images)

    def change(part: MessagePart) -> MessagePart | None:
        if part.kind != "image":
            return part
        return replace(part, media=next(left)) if images else None

    return replace(query, images=images, messages=_with_parts(query.messages, change))


def _with_parts(
    messages: Iterable[Message], change: Callable[[MessagePart], MessagePart | None]
) -> tuple[Message, ...]:
    def changed(turn: Message) -> Iterator[MessagePart]:
        for part in turn.parts:
            if (made := change(part)) is not None:
                yield made

    return tuple(replace(turn, parts=tuple(changed(turn))) for turn in messages)
