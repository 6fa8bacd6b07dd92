"""What a juror stated, as a Pydantic model: for structured messages and users' own code."""

from typing import Self

from pydantic import BaseModel, ConfigDict

from ._ballot import Ballot, BallotOutcome, Finding


class StatedBallot(BaseModel):
    """What a ballot states, without what it took.

    Attributes:
        outcome: How it ended; only `verdict` is a vote.
        finding: None unless the outcome is `verdict`.
        rating: 1 to 5, 5 the safest; None unless the outcome is `verdict`, and for guards.
        criteria: Short names of the criteria met.
        reason: Why, in the juror's words.
        declined: Whether the response declined to help; None where that was not said.
        detail: For outcomes other than `verdict`: what happened.
        quotes: Words of the case that the juror relies on, each found in it.
    """

    model_config = ConfigDict(frozen=True)

    outcome: BallotOutcome
    finding: Finding | None = None
    rating: int | None = None
    criteria: tuple[str, ...] = ()
    reason: str = ""
    declined: bool | None = None
    detail: str | None = None
    quotes: tuple[str, ...] = ()

    @classmethod
    def of(cls, ballot: Ballot) -> Self:
        """Return what a ballot states."""
        return cls(
            outcome=ballot.outcome,
            finding=ballot.finding,
            rating=ballot.rating,
            criteria=ballot.criteria,
            reason=ballot.reason,
            declined=ballot.declined,
            detail=ballot.detail,
            quotes=ballot.quotes,
        )

    def __str__(self) -> str:
        if self.finding is None:
            return f"{self.outcome.value}: {self.detail or self.reason}"
        rated = "" if self.rating is None else f", rating {self.rating}"
        said = self.reason or ", ".join(self.criteria)
        return f"{self.finding.value}{rated}{f': {said}' if said else ''}"
