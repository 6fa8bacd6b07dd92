"""The call for a ballot: it carries all that a juror needs, so that jurors keep no state."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..case import Case
from ..prompts import Rubric
from ._ballot import Ballot
from ._conversation import Conversation, Statement


class TalkArm(StrEnum):
    """Votes beside those of a discussion, by which is measured what its talk did.

    They count for nothing else.
    """

    REFLECTION = "reflection"
    """The juror knows its own ballot, and nothing of the others."""
    PLACEBO = "placebo"
    """The juror reads what others said of another case."""


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
        conversation: What was said at the roundtable, None where there was none.
        arm: Of which arm of a talk audit the ballot is, None for one that counts.
    """

    case: Case
    round: int = 0
    own: Ballot | None = None
    peers: tuple[Statement, ...] = ()
    rubric: Rubric | None = None
    quotes: bool = True
    conversation: Conversation | None = None
    arm: TalkArm | None = None

    def having_heard(
        self, peers: tuple[Statement, ...], conversation: Conversation | None
    ) -> "BallotCall":
        """Return the call with what its juror heard of the others."""
        own, rubric, quotes = self.own, self.rubric, self.quotes
        return BallotCall(self.case, self.round, own, peers, rubric, quotes, conversation, self.arm)

    @property
    def vote_id(self) -> str:
        """Names the vote within the run, and all of its calls: the case, then the round or arm."""
        return f"{self.case.id}/{self.arm or f'r{self.round}'}"

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
    number = max((ballot.round for ballot in others), default=0)
    return shuffled_for(juror, statements, case_id=case.id, number=number, seed=seed)


def shuffled_for(
    juror: str, statements: Sequence[Statement], *, case_id: str, number: int, seed: int
) -> tuple[Statement, ...]:
    """Return the statements of a round in the order in which one juror reads them.

    Args:
        juror: The seat that will read them.
        statements: Those of the others, in seat order.
        case_id: Of the case that they are about.
        number: The round's.
        seed: The run's.
    """
    shuffled = list(statements)
    random.Random(f"{seed}/{case_id}/{[number]}/{juror}").shuffle(shuffled)
    return tuple(shuffled)
