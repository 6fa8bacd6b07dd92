"""Base of the agents that cast ballots: jurors with a model, and people."""

import asyncio
from abc import abstractmethod
from collections.abc import Coroutine, Sequence
from typing import TypeVar

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseChatMessage, TextMessage
from autogen_core import CancellationToken

from ..ballot import Ballot, BallotCall
from ._messages import BallotMessage, CallMessage

NEEDS_A_CALL = "I am a juror: I give a ballot when a CallMessage puts a case to me."

_T = TypeVar("_T")


class BallotCaster(BaseChatAgent):
    """An AgentChat agent that answers a `CallMessage` with a ballot. It keeps no state."""

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Ballots; words where it is not asked for a ballot."""
        return (BallotMessage, TextMessage)

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        """Return a ballot for the last call among the messages.

        Raises:
            FirstContactError: The model never answered once and waiting won't help.
        """
        for message in reversed(messages):
            if isinstance(message, CallMessage):
                ballot = await linked(self.judge(message.content), cancellation_token)
                said = BallotMessage.of(ballot, case_id=message.content.case.id)
                return Response(chat_message=said)
        return Response(chat_message=TextMessage(content=NEEDS_A_CALL, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Do nothing: there is no state."""

    @abstractmethod
    async def judge(self, call: BallotCall) -> Ballot:
        """Return the ballot of one call; failures are outcomes of it.

        Raises:
            FirstContactError: A model never answered once and waiting won't help.
        """


async def linked(coroutine: Coroutine[object, object, _T], token: CancellationToken) -> _T:
    """Await a coroutine that a token can cancel.

    A token outlives the calls made under it, so it may hold a task of the call's
    own but not the caller's. Awaited at once, that task is no orphan.
    """
    task = asyncio.ensure_future(coroutine)
    token.link_future(task)
    return await task
