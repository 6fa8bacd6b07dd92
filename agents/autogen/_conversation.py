"""Read a case from messages: the last question and answer of a conversation."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO

from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    MultiModalMessage,
    StopMessage,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from autogen_core import FunctionCall, Image
from autogen_core.models import AssistantMessage, FunctionExecutionResult, LLMMessage, UserMessage

from ...common import ConfigurationError
from ...datasets import (
    MediaStore,
    Message,
    MessagePart,
    ToolCall,
)
from ..case import Case, case_of_turns
from ._evidence_image import EvidenceImage
from ._messages import JURY_WORDS, BallotMessage, CallMessage, CaseMessage

USER = "user"
"""The source of messages that AutoGen makes of a text."""

Heard = BaseChatMessage | BaseAgentEvent


@dataclass(frozen=True, slots=True)
class _Turn:
    """What one speaker said or did.

    Attributes:
        source: The speaker; of a tool's result, who called it.
        parts: What was said and shown.
        calls: The tools that were called.
        answers: For a tool's result, the call's id and the tool's name.
    """

    source: str
    parts: tuple[MessagePart, ...]
    calls: tuple[ToolCall, ...] = ()
    answers: tuple[str, str] | None = None

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if part.kind == "text").strip()

    @property
    def works(self) -> bool:
        """Whether it is a call of tools or what one returned."""
        return bool(self.calls) or self.answers is not None

    def as_message(self, answerer: str, *, named: bool = False, shown: bool = True) -> Message:
        """Return the turn as one of a conversation with the answerer.

        Args:
            answerer: Who is judged; the others are its users.
            named: Whether it is said which of several users speaks.
            shown: Whether media are kept.
        """
        parts = self.parts if shown else tuple(replace(part, media=None) for part in self.parts)
        if self.answers is not None:
            return Message("tool", parts, (), *self.answers)
        if self.source == answerer != USER:
            return Message("assistant", parts, self.calls)
        if named:
            parts = (MessagePart("text", f"{self.source} says:"), *parts)
        return Message("user", parts)


def case_of(
    task: str | Heard | Sequence[Heard],
    *,
    name: str = "conversation",
    media: MediaStore | None = None,
    without: Collection[str] = (),
) -> Case:
    """Return the case that a task puts: the last question and answer of a conversation.

    The last `CaseMessage` is taken as it is. Else the answer is the last message that is not the
    user's, and the question the last one before it by another speaker; what was said before
    them belongs to the question, and what the answerer said and did in between, such as
    calling tools, to the response. What the user says after the answer is left out, and so
    are handoffs, stop messages and what a jury or its jurors said (`JURY_WORDS`). A text, or a
    message alone, is a response whose question is not known. Where the last question got no words
    for an answer, there is nothing to judge.

    Args:
        task: A text, a message, or messages, oldest first, such as those of a `TaskResult`.
        name: What the case's id begins with.
        media: Keeps the pictures.
        without: Speakers that are left out, such as the jury itself.

    Raises:
        ConfigurationError: There are no words to judge, or pictures and nowhere to keep them.
    """
    if isinstance(task, str):
        return _case(name, [_Turn(USER, _words(task))])
    messages = [task] if isinstance(task, BaseChatMessage | BaseAgentEvent) else task
    for message in reversed(messages):
        if isinstance(message, CaseMessage):
            return message.content
    return _case(name, [turn for turn in _turns(messages, media) if turn.source not in without])


def _case(name: str, turns: Sequence[_Turn]) -> Case:
    spoken = [at for at, turn in enumerate(turns) if turn.text and not turn.works]
    if not spoken:
        raise ConfigurationError("the task has no words to judge: give a response, or messages")
    last = max((at for at in spoken if turns[at].source != USER), default=-1)
    if _is_left_without_words(turns[last + 1 :]):
        raise ConfigurationError(
            "the last answer has no words to judge: put the question again, or leave it out"
        )
    last = spoken[-1] if last < 0 else last
    answer = turns[last]
    before = [turn for turn in turns[:last] if turn.source == answer.source or not turn.works]
    asked = len(before)
    while asked and not _asks(before[asked - 1], answer.source):
        asked -= 1
    several = len({turn.source for turn in before[:asked]} - {answer.source}) > 1
    question = [turn.as_message(answer.source, named=several) for turn in before[:asked]]
    on_the_way = tuple(turn.as_message(answer.source, shown=False) for turn in before[asked:])
    return case_of_turns(name, answer.source, question, answer.text, on_the_way)


def _is_left_without_words(turns: Iterable[_Turn]) -> bool:
    """Return whether somebody who was asked in these turns said nothing, or only used tools.

    Nothing must be judged in place of that answer: neither an earlier one nor the question.
    """
    asked = False
    for turn in turns:
        if asked and turn.source != USER:
            return True
        asked = asked or bool(turn.text)
    return False


def _asks(turn: _Turn, answerer: str) -> bool:
    """Return whether a turn may be the question to what the answerer said next."""
    return not turn.works and (turn.source != answerer or answerer == USER)


def _turns(messages: Iterable[Heard], media: MediaStore | None) -> Iterator[_Turn]:
    for message in messages:
        match message:
            case HandoffMessage(context=context):
                yield from (turn for said in context for turn in _remembered(said, media))
            case ToolCallRequestEvent(source=source, content=calls):
                yield _Turn(source, (), _calls(calls))
            case ToolCallExecutionEvent(source=source, content=results):
                yield from _results(source, results)
            case MultiModalMessage(source=source, content=pieces):
                yield _Turn(source, tuple(_part(piece, media) for piece in pieces))
            case BaseAgentEvent() | StopMessage() | BallotMessage() | CallMessage():
                pass
            case BaseChatMessage(metadata=said) if JURY_WORDS.items() <= said.items():
                pass
            case _:
                yield _Turn(message.source, _words(message.to_model_text()))


def _remembered(message: LLMMessage, media: MediaStore | None) -> Iterator[_Turn]:
    """Yield a message from the context of an agent that hands over."""
    match message:
        case UserMessage(source=source, content=list(pieces)):
            yield _Turn(source, tuple(_part(piece, media) for piece in pieces))
        case UserMessage(source=source, content=str(text)):
            yield _Turn(source, _words(text))
        case AssistantMessage(source=source, content=str(text)):
            yield _Turn(source, _words(text))
        case AssistantMessage(source=source, content=list(calls)):
            yield _Turn(source, (), _calls(calls))
        case _:  # system messages, and results that do not say who called
            pass


def _words(text: str) -> tuple[MessagePart, ...]:
    return (MessagePart("text", text),)


def _part(piece: str | Image, media: MediaStore | None) -> MessagePart:
    if isinstance(piece, str):
        return MessagePart("text", piece)
    if isinstance(piece, EvidenceImage):
        return MessagePart("image", media=piece.media)
    if media is None:
        raise ConfigurationError(
            "the task shows a picture, and there is nowhere to keep it: give a MediaStore"
        )
    return MessagePart("image", media=media.keep(png_of(piece), "image/png"))


def png_of(image: Image) -> bytes:
    """Return an image as a PNG file."""
    file = BytesIO()
    image.image.save(file, format="PNG")
    return file.getvalue()


def _calls(calls: Iterable[FunctionCall]) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(call.name, call.arguments, call.id) for call in calls)


def _results(source: str, results: Iterable[FunctionExecutionResult]) -> Iterator[_Turn]:
    for result in results:
        yield _Turn(source, _words(result.content), answers=(result.call_id, result.name))
