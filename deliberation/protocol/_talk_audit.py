"""Measures what talk does: jurors vote again on a case that they discussed, without its talk.

Of one vote they know nothing but their own ballots (reflection), in another they read what was said
of another case (placebo). Neither counts for anything but this measure.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ...agents import (
    Ballot,
    BallotCall,
    BallotOutcome,
    Case,
    Conversation,
    Remark,
    Rubric,
    Statement,
    TalkArm,
    statements_for,
)
from ...common import in_parallel
from ._events import TalkAudited
from ._hearing import Place, aliases_for
from ._sitting import Floor


@dataclass(frozen=True, slots=True, repr=False)
class Donor:
    """What the jurors of another case found, and said before they voted again.

    Attributes:
        case_id: Id of that case.
        ballots: Its ballots of round 0, in seat order.
        remarks: What came of the turns at its roundtable, in their order.
    """

    case_id: str
    ballots: tuple[Ballot, ...]
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class TalkAudit:
    """Message: let jurors vote on a case again, without its talk.

    Attributes:
        case: The case.
        ballots: Its ballots of round 0, in seat order.
        arms: The votes to be held, each with the number of its entry.
        donor: Whose words are read instead of those of this case; None where no placebo is due.
        left_out: Seats that are not asked: people.
    """

    case: Case
    ballots: tuple[Ballot, ...]
    arms: Mapping[TalkArm, int]
    donor: Donor | None = None
    left_out: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """How a jury deliberates, as far as an audit follows it.

    Attributes:
        seats: All seats, in order.
        standing: The guards among them, which hear nobody and are not asked.
        at_roundtable: Whether the jurors speak with each other.
        seed: The run's.
        rubric: What is judged by, None for the bundled rubric.
        quotes: Whether jurors are asked for the words that they rely on.
    """

    seats: tuple[str, ...]
    standing: frozenset[str]
    at_roundtable: bool
    seed: int
    rubric: Rubric | None
    quotes: bool


async def audit_talk(audit: TalkAudit, floor: Floor, settings: AuditSettings) -> bool:
    """Hold the votes of an audit, and publish each whole.

    One of which the budget does not cover all ballots is not published: it is held again once
    the run is resumed, and what was answered is not paid for twice.

    Returns:
        Whether the budget covered all of it.
    """
    for arm, number in sorted(audit.arms.items(), key=lambda one: one[1]):
        calls = [
            BallotCall(
                audit.case,
                1,
                own,
                () if heard is None else heard[0],
                rubric=settings.rubric,
                quotes=settings.quotes,
                conversation=None if heard is None else heard[1],
                arm=arm,
            )
            for own in _asked(audit, settings)
            for heard in [_heard(own, audit, settings) if arm is TalkArm.PLACEBO else None]
        ]
        ballots = tuple(await in_parallel(_cast(call, floor, settings) for call in calls))
        if any(ballot.outcome is BallotOutcome.BUDGET_STOP for ballot in ballots):
            return False
        seals = tuple(ballot.seal() for ballot in ballots)
        donor = audit.donor.case_id if audit.donor and arm is TalkArm.PLACEBO else ""
        await floor.publish(TalkAudited(audit.case.id, number, arm, ballots, seals, donor))
    return True


def _asked(audit: TalkAudit, settings: AuditSettings) -> list[Ballot]:
    """Return the ballots of the jurors that are asked: only a vote can be changed."""
    left_out = {*settings.standing, *audit.left_out}
    return [own for own in audit.ballots if own.is_vote and own.juror not in left_out]


async def _cast(call: BallotCall, floor: Floor, settings: AuditSettings) -> Ballot:
    assert call.own is not None
    return await floor.call(call, Place(call.own.juror, "", 0, settings.seed))


def _heard(
    own: Ballot, audit: TalkAudit, settings: AuditSettings
) -> tuple[tuple[Statement, ...], Conversation | None]:
    """Return what a juror hears of the other case, in place of what it heard of this one."""
    donor = audit.donor
    assert donor is not None, "a placebo is not due without one"
    peers = statements_for(own.juror, donor.ballots, case=audit.case, seed=settings.seed)
    if not settings.at_roundtable:
        return peers, None
    names = aliases_for(settings.seats, case_id=donor.case_id, seed=settings.seed)
    return peers, _conversation(own, donor, names)


def _conversation(own: Ballot, donor: Donor, names: Mapping[str, str]) -> Conversation:
    """Return the talk of another case with a juror's own vote on this one, and without its words.

    They were about the other case: it would take them for those of somebody else.
    """
    votes = [own, *(one for one in donor.ballots if one.juror != own.juror)]
    shown = sorted(
        ((names[one.juror], Statement.of(one)) for one in votes),
        key=lambda vote: (len(vote[0]), vote[0]),
    )
    spoken = [one.spoken for one in donor.remarks if one.juror != own.juror]
    return Conversation(names[own.juror], tuple(shown), tuple(one for one in spoken if one))
