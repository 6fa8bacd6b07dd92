"""What happens in a deliberation, as the bus, the record and the views see it.

Two topics carry them. `TRANSCRIPT` has the numbered entries that the record
keeps and that can be replayed. `PROGRESS` has fleeting notices for a live view.
"""

from dataclasses import dataclass, field

from ...agents import Ballot, Case, Remark, TalkArm
from ...models import Usage
from ._hearing import Heard
from ._verdict import Verdict


@dataclass(frozen=True, slots=True)
class SeatInfo:
    """Who sits on the jury.

    Attributes:
        seat: Name within the jury, unique.
        persona: Name of the persona, or of the agent.
        title: What a person would call the juror.
        model: The model behind it, without secrets.
        guard: The kind of guard that sits there, such as `llama-guard-3`; empty for all
            other jurors.
    """

    seat: str
    persona: str
    title: str
    model: str
    guard: str = ""


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """Entry: the foreperson opens a case."""

    case_id: str
    number: int
    case: Case


@dataclass(frozen=True, slots=True)
class BallotsRevealed:
    """Entry: all sealed ballots of a round are opened together.

    Attributes:
        ballots: In a later round, a guard's ballot of round 0 is among them, because it
            stands: its own `round` says so.
        seals: Hash of each ballot, in the order of `ballots` (seat order).
        not_asked: Seats left out because the outcome was fixed, or all but sure.
    """

    case_id: str
    number: int
    round: int
    ballots: tuple[Ballot, ...]
    seals: tuple[str, ...]
    not_asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiscussionOpened:
    """Entry: the foreperson lets the jurors read each other, and says why."""

    case_id: str
    number: int
    round: int
    why: str


@dataclass(frozen=True, slots=True)
class RemarkMade:
    """Entry: a juror had its turn at the roundtable, and spoke, passed or failed to do either."""

    case_id: str
    number: int
    remark: Remark


@dataclass(frozen=True, slots=True)
class SummedUp:
    """Entry: the foreperson's words on agreement and dissent.

    Attributes:
        text: The summing-up; empty where the foreperson's model failed.
        detail: What went wrong, None if nothing did.
    """

    case_id: str
    number: int
    text: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class VerdictAnnounced:
    """Entry: the verdict; nothing that comes after it counts."""

    case_id: str
    number: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class TalkAudited:
    """Entry: jurors voted once more without the talk of the case, to measure what it did.

    It comes after the verdict, and counts for nothing in it.

    Attributes:
        arm: What they knew beside the case and their own ballots of round 0.
        ballots: In seat order, of those who voted in round 0.
        seals: Hash of each ballot, in the same order.
        donor: Id of the case of which they read what its jurors said; empty for none.
    """

    case_id: str
    number: int
    arm: TalkArm
    ballots: tuple[Ballot, ...]
    seals: tuple[str, ...]
    donor: str = ""


@dataclass(frozen=True, slots=True)
class BallotCalled:
    """Notice: a juror was asked and is thinking."""

    case_id: str
    round: int
    seat: str


@dataclass(frozen=True, slots=True)
class BallotSealed:
    """Notice: a juror's ballot is in, and stays sealed.

    Attributes:
        usage: Tokens of the calls for it.
        cost_usd: US dollars of those calls, None where a price is unknown.
        calls: Model calls made for it.
    """

    case_id: str
    round: int
    seat: str
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    calls: int = 0


@dataclass(frozen=True, slots=True)
class RemarkCalled:
    """Notice: it is a juror's turn at the roundtable, and it is thinking.

    Attributes:
        round: The round of the vote that follows.
        turn: Which turn of this talk it is, from 1.
        seat: Whose turn it is.
    """

    case_id: str
    round: int
    turn: int
    seat: str


Entry = (
    CaseOpened
    | BallotsRevealed
    | DiscussionOpened
    | RemarkMade
    | SummedUp
    | VerdictAnnounced
    | TalkAudited
)
Notice = BallotCalled | BallotSealed | RemarkCalled


@dataclass(frozen=True, slots=True, repr=False)
class Published:
    """Carries what is said on the bus; without a repr, as the bus logs each message."""

    said: Entry | Notice | Heard
