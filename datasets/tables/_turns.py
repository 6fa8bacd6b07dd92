"""Splits the turns of a conversation into what was asked and what was answered."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..query import Message
from ._messages import read_messages


def split_asked(
    put: Sequence[object], messages: Sequence[object]
) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Return the turns of a question, and those since, the answer among them.

    Args:
        put: The messages that a sample was begun with.
        messages: All messages of it in the end: a system message may have been put before the
            question, or its words changed.

    Raises:
        RowError: A message is none.
    """
    asked, whole = read_messages(put), read_messages(messages)
    ours = [at for at, turn in enumerate(whole) if turn.role != "system"]
    number = sum(turn.role != "system" for turn in asked)
    since = whole[ours[number - 1] + 1 :] if 0 < number <= len(ours) else ()
    system = () if len(asked) != number else whole[: ours[0]] if ours else ()
    return (*system, *asked), since


def before_last(turns: Sequence[Message]) -> tuple[tuple[Message, ...], str | None]:
    """Split turns into those before the model's last message, without media, and that message."""
    *before, last = turns or (Message("user"),)
    if last.role != "assistant":
        return without_media(turns), None
    called = [replace(last, parts=())] if last.tool_calls else []
    return without_media([*before, *called]), last.text


def without_media(turns: Iterable[Message]) -> tuple[Message, ...]:
    """Replace media in turns by a note."""
    return tuple(
        replace(turn, parts=tuple(replace(part, media=None) for part in turn.parts))
        for turn in turns
    )
