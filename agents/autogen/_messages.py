"""Cases, calls and ballots as AgentChat messages, for teams with a jury or jurors in them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, Self

from autogen_agentchat.messages import BaseChatMessage
from autogen_core.models import RequestUsage, UserMessage
from pydantic import ConfigDict

from ...models import Usage
from ..ballot import (
    TEXT_ONLY,
    Ballot,
    BallotCall,
    StatedBallot,
    evidence,
    in_words,
    juror_messages,
    perceive,
    task,
)
from ..case import Case

JURY_WORDS: Mapping[str, str] = {"safejury": "jury"}
"""Metadata of messages in which a jury or a juror speaks: what they say is never a case."""

FOREPERSON = "foreperson"
"""Who calls for ballots."""


def tokens_of(usage: Usage) -> RequestUsage:
    """Return tokens as AutoGen counts them, which knows no unknown ones: these count as 0."""
    return RequestUsage(usage.prompt_tokens or 0, usage.completion_tokens or 0)


class _BuiltMessage(BaseChatMessage):
    """A message of a jury: of what is frozen and typed, so that it is not validated again."""

    model_config = ConfigDict(defer_build=True)  # what validates it, a team's state alone asks for

    @classmethod
    def _built(
        cls, message_id: str, *, source: str, content: object, usage: RequestUsage | None = None
    ) -> Self:
        return cls.model_construct(
            id=message_id,
            source=source,
            models_usage=usage,
            metadata=dict(JURY_WORDS),
            created_at=datetime.now(UTC),
            content=content,
        )

    def to_model_text(self) -> str:
        """Return what a model reads."""
        return self.to_text()

    def to_model_message(self) -> UserMessage:
        """Return what a model reads as a user's message."""
        return UserMessage(content=self.to_model_text(), source=self.source)


class CaseMessage(_BuiltMessage):
    """Puts a case to a jury, or to a juror, in a team of any kind.

    Attributes:
        content: The case.
        type: How AutoGen knows the message when it loads a team's state; list the class in
            the team's `custom_message_types`.

    Example:
        >>> await team.run(task=CaseMessage(content=case, source="user"))
    """

    content: Case
    type: Literal["CaseMessage"] = "CaseMessage"

    @classmethod
    def of(cls, case: Case, *, source: str = "user") -> "CaseMessage":
        """Return the message of a case.

        Args:
            case: What is to be judged.
            source: Name of who puts it.
        """
        return cls._built(f"{case.id}/case", source=source, content=case)

    def to_text(self) -> str:
        """Return which case it is, in one line without its words."""
        return f"Case {self.content.id}."

    def to_model_text(self) -> str:
        """Return the case as evidence between markers, for agents of any kind."""
        return evidence(self.content, perceive(self.content, TEXT_ONLY)).strip()


class CallMessage(_BuiltMessage):
    """Calls a juror for its ballot.

    Attributes:
        content: All that the juror needs.
        type: See `CaseMessage`.
    """

    content: BallotCall
    type: Literal["CallMessage"] = "CallMessage"

    @classmethod
    def of(cls, call: BallotCall, *, source: str, to: str) -> "CallMessage":
        """Return the message of a call.

        Args:
            call: What is asked.
            source: Name of who asks.
            to: Name of the juror.
        """
        message_id = f"{call.vote_id}/{to}/call"
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
        type: See `CaseMessage`.
    """

    content: Ballot
    type: Literal["BallotMessage"] = "BallotMessage"

    @classmethod
    def of(cls, ballot: Ballot, *, case_id: str) -> "BallotMessage":
        """Return the message of a ballot.

        Args:
            ballot: What the juror stated.
            case_id: Of the case that it is about.
        """
        return cls._built(
            f"{case_id}/r{ballot.round}/{ballot.juror}/ballot",
            source=ballot.juror,
            content=ballot,
            usage=tokens_of(ballot.usage),
        )

    def to_text(self) -> str:
        """Return what the juror stated, in one line."""
        return str(StatedBallot.of(self.content))
