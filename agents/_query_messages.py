"""What goes between an editor and the agents that write and score queries."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseChatMessage, TextMessage
from autogen_core import CancellationToken

from ..models import ChatModel, Sampling
from ._ballot_caster import linked
from ._built_message import BuiltMessage
from ._query_call import QueryCall, QueryReply

NEEDS_A_CALL = "I work on queries: I answer when a QueryCallMessage puts a prompt to me."


class QueryCallMessage(BuiltMessage):
    """Asks for queries, or for scores of queries.

    Attributes:
        content: All that the receiver needs.
    """

    content: QueryCall

    @classmethod
    def of(cls, call: QueryCall, *, source: str) -> "QueryCallMessage":
        """Return a message without validating again what is frozen and typed already."""
        return cls.built(call.call_id, source=source, content=call)

    def to_text(self) -> str:
        """Return what is asked, in one line."""
        return f"{len(self.content.numbers)} items please: {self.content.call_id}."

    def to_model_text(self) -> str:
        """Return the prompt."""
        return self.content.prompt


class QueryReplyMessage(BuiltMessage):
    """Carries queries, or scores of queries.

    Attributes:
        content: What the model said.
    """

    content: QueryReply[Any]

    @classmethod
    def of(cls, reply: QueryReply[Any], *, source: str) -> "QueryReplyMessage":
        """Return a message without validating again what is frozen and typed already."""
        return cls.built(f"{reply.call_id}/reply", source=source, content=reply)

    def to_text(self) -> str:
        """Return how much there is, in one line; the words themselves are harmful."""
        silence = self.content.silence
        if silence is not None:
            return f"{silence.reason}: {silence.detail}"
        return f"{len(self.content.items)} items for {self.content.call_id}"


class QueryWorker(BaseChatAgent):
    """An AgentChat agent that answers a `QueryCallMessage`. It keeps no state.

    Args:
        name: Letters, digits and underscores.
        model: What it thinks with.
        sampling: How words are drawn.
        max_tokens: Cap on the tokens of one reply, at least 1.
    """

    DESCRIPTION: ClassVar[str]
    """What others are told that it does."""

    def __init__(
        self,
        name: str,
        model: ChatModel,
        *,
        sampling: Sampling | None = None,
        max_tokens: int = 1024,
    ) -> None:
        super().__init__(name, self.DESCRIPTION)
        self._model = model
        self._sampling = sampling or Sampling()
        self._max_tokens = max_tokens

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Replies to calls; words where it is asked anything else."""
        return (QueryReplyMessage, TextMessage)

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        """Answer the last call among the messages.

        Raises:
            BudgetError: The budget does not cover the call.
            FirstContactError: The model never answered once and waiting won't help.
        """
        for message in reversed(messages):
            if isinstance(message, QueryCallMessage):
                reply = await linked(self.answer(message.content), cancellation_token)
                return Response(chat_message=QueryReplyMessage.of(reply, source=self.name))
        return Response(chat_message=TextMessage(content=NEEDS_A_CALL, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Do nothing: there is no state."""

    @abstractmethod
    async def answer(self, call: QueryCall) -> QueryReply[Any]:
        """Return the reply to one call; a model that fails is a silence in it.

        Raises:
            BudgetError: The budget does not cover the call.
            FirstContactError: The model never answered once and waiting won't help.
        """
