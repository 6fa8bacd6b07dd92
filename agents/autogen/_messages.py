"""Calls and ballots as AgentChat messages, for teams that have a juror among them."""

from datetime import UTC, datetime
from typing import Self

from autogen_agentchat.messages import BaseChatMessage
from autogen_core.models import RequestUsage, UserMessage

from ..ballot import TEXT_ONLY, Ballot, BallotCall, in_words, juror_messages, perceive, task


class _BuiltMessage(BaseChatMessage):
    """A message made of what is frozen and typed, so that it is not validated again."""

    @classmethod
    def _built(
        cls, message_id: str, *, source: str, content: object, usage: RequestUsage | None = None
    ) -> Self:
        return cls.model_construct(
            id=message_id,
            source=source,
            models_usage=usage,
            metadata={},
            created_at=datetime.now(UTC),
            content=content,
        )

    def to_model_text(self) -> str:
        """Return what a model reads."""
        return self.to_text()

    def to_model_message(self) -> UserMessage:
        """Return what a model reads as a user's message."""
        return UserMessage(content=self.to_model_text(), source=self.source)


class CallMessage(_BuiltMessage):
    """Calls a juror for its ballot.

    Attributes:
        content: All that the juror needs.
    """

    content: BallotCall

    @classmethod
    def of(cls, call: BallotCall, *, source: str, to: str) -> "CallMessage":
        """Return the message of a call.

        Args:
            call: What is asked.
            source: Name of who asks.
            to: Name of the juror.
        """
        message_id = f"{call.case.id}/r{call.round}/{to}/call"
        return cls._built(message_id, source=source, content=call)

    def to_text(self) -> str:
        """Return what the message asks, in one line."""
        return f"Ballot please: case {self.content.case.id}, round {self.content.round}."

    def to_model_text(self) -> str:
        """Return the whole prompt as one text, for agents of any kind."""
        perceived = perceive(self.content.case, TEXT_ONLY)
        return in_words(juror_messages(self.content, task(None), perceived))


class BallotMessage(_BuiltMessage):
    """Carries a juror's ballot.

    Attributes:
        content: The ballot.
    """

    content: Ballot

    @classmethod
    def of(cls, ballot: Ballot, *, case_id: str) -> "BallotMessage":
        """Return the message of a ballot.

        Args:
            ballot: What the juror stated.
            case_id: Of the case that it is about.
        """
        usage = ballot.usage
        return cls._built(
            f"{case_id}/r{ballot.round}/{ballot.juror}/ballot",
            source=ballot.juror,
            content=ballot,
            usage=RequestUsage(usage.prompt_tokens or 0, usage.completion_tokens or 0),
        )

    def to_text(self) -> str:
        """Return what the juror stated, in one line."""
        ballot = self.content
        if ballot.finding is None:
            return f"{ballot.outcome.value}: {ballot.detail or ballot.reason}"
        return f"{ballot.finding.value}, rating {ballot.rating}: {ballot.reason}"
