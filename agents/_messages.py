"""What goes between a seat and agents that know ballots, as AgentChat messages."""

from autogen_core.models import RequestUsage

from ._ballot import Ballot
from ._built_message import BuiltMessage
from ._call import BallotCall
from ._evidence import TEXT_ONLY, in_words, juror_messages, perceive, task


class CallMessage(BuiltMessage):
    """Calls a juror for its ballot.

    Attributes:
        content: All that the juror needs.
    """

    content: BallotCall

    @classmethod
    def of(cls, call: BallotCall, *, source: str, to: str) -> "CallMessage":
        """Return a message without validating again what is frozen and typed already."""
        message_id = f"{call.case.id}/r{call.round}/{to}/call"
        return cls.built(message_id, source=source, content=call)

    def to_text(self) -> str:
        """Return what the message asks, in one line."""
        return f"Ballot please: case {self.content.case.id}, round {self.content.round}."

    def to_model_text(self) -> str:
        """Return the whole prompt as one text, for agents of any kind."""
        perceived = perceive(self.content.case, TEXT_ONLY)
        return in_words(juror_messages(self.content, task(None), perceived))


class BallotMessage(BuiltMessage):
    """Carries a juror's ballot.

    Attributes:
        content: The ballot.
    """

    content: Ballot

    @classmethod
    def of(cls, ballot: Ballot, *, case_id: str) -> "BallotMessage":
        """Return a message without validating again what is frozen and typed already."""
        usage = ballot.usage
        return cls.built(
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
