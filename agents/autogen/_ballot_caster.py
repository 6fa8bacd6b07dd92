"""Base of the agents that cast ballots: jurors with a model, and people."""

import asyncio
from abc import abstractmethod
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import (
    BaseChatMessage,
    MessageFactory,
    StructuredMessage,
    TextMessage,
)
from autogen_core import CancellationToken
from pydantic import BaseModel

from ...common import ConfigurationError
from ...common.text import quoted
from ...datasets import MediaStore, with_media
from ..ballot import Ballot, BallotCall, StatedBallot, Statement
from ..case import Case
from ..talk import Remark, RemarkCall, passed
from ._conversation import case_of
from ._messages import JURY_WORDS, BallotMessage, CallMessage, CaseMessage

_STATED = "stated"
_Words = StructuredMessage[StatedBallot]

_T = TypeVar("_T")


class _State(BaseModel):
    """What a juror keeps of a conversation.

    Attributes:
        heard: The messages that it heard.
        case: What it judged last.
        ballot: Its ballot on that.
    """

    heard: list[dict[str, Any]] = []
    case: Case | None = None
    ballot: Ballot | None = None


class BallotCaster(BaseChatAgent):
    """An AgentChat agent that judges: a call from a jury, or what is said in a team.

    A `CallMessage` is answered with a `BallotMessage`, and nothing of it is kept. To any
    other messages it answers in words, or in a `StructuredMessage[StatedBallot]`: it judges the
    last question and answer of all that it heard since it was reset, see `case_of`. Asked
    again about the same, it knows its own ballot and what other jurors said meanwhile.

    Args:
        name: The agent's name.
        description: Who it is.
        output_content_type: `StatedBallot` for ballots in a structured message; None for words.

    Raises:
        ConfigurationError: The name is none for an agent.
    """

    def __init__(
        self,
        name: str,
        description: str,
        *,
        output_content_type: type[StatedBallot] | None = None,
    ) -> None:
        if not name.isidentifier():
            raise ConfigurationError(
                f"juror name {quoted(name)}: use letters, digits and underscores only"
            )
        super().__init__(name, description)
        self._structured = output_content_type is not None
        self._state = _State()
        self._heard: list[BaseChatMessage] = []
        self._pictures = MediaStore()

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Ballots to calls; words or structured messages in a conversation."""
        return (BallotMessage, TextMessage, *((_Words,) if self._structured else ()))

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        """Return a ballot for the last call among the messages, or on what they say.

        Raises:
            FirstContactError: The model never answered once and waiting won't help.
        """
        for message in reversed(messages):
            if isinstance(message, CallMessage):
                ballot = await linked(self.judge(message.content), cancellation_token)
                said = BallotMessage.of(ballot, case_id=message.content.case.id)
                return Response(chat_message=said)
        return Response(chat_message=await self._speak(messages, cancellation_token))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Forget the conversation."""
        self._state, self._heard, self._pictures = _State(), [], MediaStore()

    async def save_state(self) -> Mapping[str, Any]:
        """Return what is kept of the conversation."""
        heard = [dict(message.dump()) for message in self._heard]
        return self._state.model_copy(update={"heard": heard}).model_dump(mode="json")

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on with the conversation of a state."""
        self._state = _State.model_validate(state)
        self._heard = [message for each in self._state.heard for message in _loaded(each)]

    @abstractmethod
    async def judge(self, call: BallotCall) -> Ballot:
        """Return the ballot of one call; failures are outcomes of it.

        Raises:
            FirstContactError: A model never answered once and waiting won't help.
        """

    async def speak(self, call: RemarkCall) -> Remark:
        """Return what came of one turn at the roundtable; this one has nothing to say.

        Raises:
            FirstContactError: A model never answered once and waiting won't help.
        """
        return passed(self.name, call)

    async def _speak(
        self, messages: Sequence[BaseChatMessage], token: CancellationToken
    ) -> BaseChatMessage:
        """Judge what was said in a team, and return the words for the ballot."""
        self._heard += map(_kept, messages)
        heard = tuple(self._heard)
        try:
            case = await asyncio.to_thread(
                lambda: case_of(heard, media=self._pictures, without={self.name})
            )
        except ConfigurationError as error:
            return self._in_words(f"I have nothing to judge: {error}")
        call = self._call(case, messages)
        ballot = await linked(self.judge(call), token)
        self._state = _State(case=case, ballot=ballot)
        return self._stated(ballot)

    def _call(self, case: Case, news: Sequence[BaseChatMessage]) -> BallotCall:
        own, before = self._state.ballot, self._state.case
        if own is None or before is None or _placeless(case) != _placeless(before):
            return BallotCall(case)
        peers = (_statement(message) for message in news if message.source != self.name)
        return BallotCall(case, own.round + 1, own, tuple(filter(None, peers)))

    def _stated(self, ballot: Ballot) -> BaseChatMessage:
        stated, usage = StatedBallot.of(ballot), BallotMessage.of(ballot, case_id="").models_usage
        if self._structured:
            return _Words(
                content=stated, source=self.name, models_usage=usage, metadata=dict(JURY_WORDS)
            )
        words = self._in_words(str(stated))
        words.models_usage = usage
        words.metadata[_STATED] = stated.model_dump_json()
        return words

    def _in_words(self, text: str) -> TextMessage:
        return TextMessage(content=text, source=self.name, metadata=dict(JURY_WORDS))


def _placeless(case: Case) -> Case:
    """Return a case without where its pictures lie, which a juror that was loaded keeps anew."""
    return replace(case, query=with_media(case.query, lambda media: replace(media, path="")))


def _kept(message: BaseChatMessage) -> BaseChatMessage:
    """Return a message in a form that a state can be loaded with."""
    if _known().is_registered(type(message)):
        return message
    words = TextMessage(content=message.to_model_text(), source=message.source)
    words.metadata = dict(message.metadata)
    return words


def _known() -> MessageFactory:
    known = MessageFactory()
    for ours in (CaseMessage, BallotMessage, _Words):
        known.register(ours)
    return known


def _loaded(data: Mapping[str, Any]) -> Iterator[BaseChatMessage]:
    message = _known().create(data)
    if isinstance(message, BaseChatMessage):
        yield message


def _statement(message: BaseChatMessage) -> Statement | None:
    """Return the vote that another juror's message carries, None where it carries none."""
    if isinstance(message, BallotMessage):
        return Statement.of(message.content)
    stated: object = getattr(message, "content", None)
    if isinstance(stated, StatedBallot):
        pass
    elif JURY_WORDS.items() <= message.metadata.items() and _STATED in message.metadata:
        stated = StatedBallot.model_validate_json(message.metadata[_STATED])
    else:
        return None
    if stated.finding is None:
        return None
    said = stated.reason or ", ".join(stated.criteria)
    return Statement(stated.finding, stated.rating, said)


async def linked(coroutine: Coroutine[object, object, _T], token: CancellationToken) -> _T:
    """Await a coroutine that a token can cancel.

    A token outlives the calls made under it, so it may hold a task of the call's
    own but not the caller's. Awaited at once, that task is no orphan.
    """
    task = asyncio.ensure_future(coroutine)
    token.link_future(task)
    return await task
