"""Splits chat messages into a question (a text with pictures, or a conversation) and a response."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from .....datasets import Message
from .....datasets.tables import (
    as_list,
    as_object,
    as_text,
    before_last,
    decode,
    first_text,
    is_object,
    read_messages,
)


@dataclass(frozen=True, slots=True)
class Question:
    """The question: a text with pictures, or a conversation.

    Attributes:
        text: The words, of a conversation those of the user's last turn; None if there
            are none.
        images: Addresses of the pictures, in order; empty if there are `messages`.
        messages: The turns of a conversation, their media unread.
    """

    text: str | None
    images: tuple[str, ...] = ()
    messages: tuple[Message, ...] = ()

    @classmethod
    def of(cls, messages: Iterable[object]) -> "Question":
        """Create the question from chat messages; see `read_messages`."""
        return cls.of_turns(read_messages(messages))

    @classmethod
    def of_prompt(cls, raw: object) -> "Question":
        """Create the question from a prompt: a text, or chat messages, also as JSON."""
        messages = as_list(raw)
        text = as_text(raw)
        if text and text.lstrip().startswith("["):
            with suppress(ValueError):
                messages = as_list(decode(text.encode("utf-8", "surrogatepass")))
        if messages and all("role" in as_object(message) for message in messages):
            return cls.of(messages)
        return cls(text)

    @classmethod
    def of_turns(cls, turns: tuple[Message, ...]) -> "Question":
        """Create the question from turns; a single user turn becomes a text with pictures."""
        said = [turn.text for turn in turns if turn.role == "user" and turn.text]
        text = said[-1] if said else None
        if len(turns) == 1 and turns[0].role == "user" and not turns[0].tool_calls:
            media = [part for part in turns[0].parts if part.media is not None]
            if all(part.kind == "image" for part in media):
                return cls(text, tuple(part.media.path for part in media if part.media))
        return cls(text, (), turns)


def split_transcript(
    turns: Sequence[Message],
) -> tuple[tuple[Message, ...], tuple[Message, ...], str | None]:
    """Split a conversation into the question, the turns in between, and the response.

    The question ends before the model's first turn. The model's last turn is the response,
    if no turn follows it.

    Args:
        turns: The whole conversation.
    """
    ours = (at for at, turn in enumerate(turns) if turn.role in ("assistant", "tool"))
    first = next(ours, len(turns))
    between, response = before_last(turns[first:])
    return tuple(turns[:first]), between, response


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation that ends with a response.

    Attributes:
        asked: What was asked.
        turns: What was said after it and before the response, without media.
        response: The target's last words, None if there are none.
    """

    asked: Question
    turns: tuple[Message, ...]
    response: str | None

    @classmethod
    def of(cls, messages: Iterable[object], response: str | None, *, apart: bool) -> "Dialogue":
        """Create the conversation of a row.

        Args:
            messages: Its chat messages.
            response: The response, where it stands apart.
            apart: Whether it does; else the model's last words in the messages are it.

        Raises:
            RowError: A message is none.
        """
        turns = read_messages(messages)
        if not apart:
            question, since, response = split_transcript(turns)
            return cls(Question.of_turns(question), since, response)
        last = turns[-1] if turns else None
        if last is not None and last.role == "assistant" and last.text == response:
            turns = turns[:-1]  # the response is there once more
        return cls(Question.of_turns(turns), (), response)


def content_text(content: object) -> str | None:
    """Return the text of a message's content: a text, an object with one, or a list of parts."""
    if isinstance(content, str):
        return content
    if is_object(content):
        return first_text(content.get("text"))
    parts = [as_text(as_object(part).get("text")) for part in as_list(content)]
    texts = [text for text in parts if text]
    return "\n".join(texts) if texts else None
