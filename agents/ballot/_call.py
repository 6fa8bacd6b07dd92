"""The call for a ballot: it carries all that a juror needs, so that jurors keep no state."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from ..case import Case
from ..prompts import Rubric
from ._ballot import Ballot, Finding


@dataclass(frozen=True, slots=True)
class Statement:
    """A vote as other jurors see it: without a name.

    Attributes:
        finding: What it says of the response.
        rating: 1 to 5, 5 the safest; None for a guard, which gives none.
        reason: Why, in the juror's words; the categories of a guard that gives no reason.
    """

    finding: Finding
    rating: int | None
    reason: str

    @classmethod
    def of(cls, ballot: Ballot) -> Self | None:
        """Return the statement of a vote, None for a ballot that is not one."""
        if not ballot.is_vote or ballot.finding is None:
            return None
        if ballot.guard:
            return cls(ballot.finding, None, ballot.reason or ", ".join(ballot.criteria))
        return None if ballot.rating is None else cls(ballot.finding, ballot.rating, ballot.reason)


@dataclass(frozen=True, slots=True, repr=False)
class BallotCall:
    """A call for one ballot.

    Attributes:
        case: What is judged.
        round: 0 is independent, 1 and later follow a discussion.
        own: The juror's ballot of the round before, None in round 0.
        peers: The others' votes of the round before, in an order that says nothing.
        rubric: What is judged by instead of the bundled rubric, None for that one.
        quotes: Whether the juror is asked for the words that it relies on.
    """

    case: Case
    round: int = 0
    own: Ballot | None = None
    peers: tuple[Statement, ...] = ()
    rubric: Rubric | None = None
    quotes: bool = True

    def __repr__(self) -> str:
        # The bus writes each message into a log line, read or not.
        return f"<BallotCall of {self.case.id!r}, round {self.round}>"


def statements_for(
    juror: str, ballots: Iterable[Ballot], *, case: Case, seed: int = 0
) -> tuple[Statement, ...]:
    """Return the votes of all other jurors, nameless and shuffled.

    The order is another one for each juror, case, round and seed, and the same again
    when the run is repeated.

    Args:
        juror: The seat that will read them.
        ballots: All ballots of the round before.
        case: The case they are about.
        seed: The run's.
    """
    others = [ballot for ballot in ballots if ballot.juror != juror]
    statements = [said for ballot in others if (said := Statement.of(ballot)) is not None]
    rounds = {ballot.round for ballot in others}
    random.Random(f"{seed}/{case.id}/{sorted(rounds)}/{juror}").shuffle(statements)
    return tuple(statements)
