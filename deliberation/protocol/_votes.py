"""The votes of one round, and what a rule makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ...agents import Ballot, Finding


@dataclass(frozen=True, slots=True)
class Votes:
    """The votes of one round.

    Attributes:
        unsafe: Number of unsafe votes.
        safe: Number of safe votes.
        seats: Number of seats, asked or not; at least `unsafe + safe`.
        ballots: The ballots behind the counts, for rules that read more than
            counts; empty where only counts are tried.
    """

    unsafe: int
    safe: int
    seats: int
    ballots: tuple[Ballot, ...] = ()

    @classmethod
    def of(cls, ballots: Sequence[Ballot], seats: int) -> Self:
        """Count ballots; outcomes other than `verdict` are missing votes.

        Raises:
            ValueError: There are more ballots than seats.
        """
        if len(ballots) > seats:
            raise ValueError(f"{len(ballots)} ballots from {seats} seats")
        findings = [ballot.finding for ballot in ballots if ballot.is_vote]
        unsafe, safe = findings.count(Finding.UNSAFE), findings.count(Finding.SAFE)
        return cls(unsafe, safe, seats, tuple(ballots))

    @property
    def missing(self) -> int:
        """Seats without a vote, whatever the cause."""
        return self.seats - self.unsafe - self.safe

    def __str__(self) -> str:
        counted = f"{self.unsafe} unsafe, {self.safe} safe"
        return f"{counted}, {self.missing} without a vote" if self.missing else counted


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule makes of one round.

    Attributes:
        finding: None means `no_verdict`.
        reason: Why there is no verdict, how a tie was broken, or how sure a finding is for which
            `stop: sequential` did not ask all; else empty.
        probability: Probability in [0, 1] that the response is unsafe; None where the rule
            knows none.
    """

    finding: Finding | None
    reason: str = ""
    probability: float | None = None
