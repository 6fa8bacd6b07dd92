"""Renders a conversation for a reader: each turn with its speaker and media."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from ._query import MediaKind, Message, Query, ToolCall

_SPEAKERS = {
    "system": "the system message",
    "user": "the user",
    "assistant": "the model",
    "tool": "the result of a tool",
}
_NOUNS: dict[MediaKind, str] = {"image": "picture", "audio": "recording", "video": "video"}


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """One turn of a conversation, its text separate from our descriptions.

    Attributes:
        heading: Which turn it is, who speaks and which media go with it, in words of ours.
        text: What is said: words of the query; empty if there are none.
        calls: The tools that are called and with what: words of the query too.
    """

    heading: str
    text: str
    calls: tuple[str, ...] = ()


def shown_turns(
    messages: Iterable[Message], hidden: Collection[MediaKind] = (), *, first: int = 1
) -> Iterator[ShownTurn]:
    """Yield the turns of a conversation, rendered for a reader.

    Media are numbered in their order through all turns, by kind.

    Args:
        messages: The turns.
        hidden: Kinds of media that the reader is not shown.
        first: The number of the first of them.
    """
    seen: Counter[MediaKind] = Counter()
    for number, turn in enumerate(messages, first):
        media: list[str] = []
        for part in turn.parts:
            if part.kind == "text":
                continue
            if part.media is None:
                media.append(f"a {_NOUNS[part.kind]} that is not kept")
                continue
            seen[part.kind] += 1
            unseen = " (not shown to you)" if part.kind in hidden else ""
            media.append(f"{_NOUNS[part.kind]} {seen[part.kind]}{unseen}")
        shown = f", with {' and '.join(media)}" if media else ""
        yield ShownTurn(
            f"Turn {number}, {_SPEAKERS[turn.role]}{shown}",
            _said(turn),
            tuple(map(_called, turn.tool_calls)),
        )


def words_of(query: Query) -> list[str]:
    """Return all text that a query sends to a model: its own, or that of all turns."""
    return words_in(query.messages) if query.messages else [query.text]


def words_in(messages: Iterable[Message]) -> list[str]:
    """Return all text of the turns, including tool calls."""
    if not messages:
        return []
    return [words for turn in shown_turns(messages) for words in (turn.text, *turn.calls) if words]


def _said(turn: Message) -> str:
    if turn.role == "tool" and turn.name:
        return f"{turn.name} returned:\n{turn.text}"
    return turn.text


def _called(call: ToolCall) -> str:
    return f"{call.name}\n{call.arguments}"
