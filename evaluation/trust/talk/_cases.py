"""Reads the cases that were discussed: who voted how in each round, and who spoke to whom."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from ....agents import Finding, RemarkOutcome, TalkArm
from ....common import RecordChangedError
from ...record import Discussion


@dataclass(frozen=True, slots=True)
class Vote:
    """A ballot as far as changes of mind are concerned.

    Attributes:
        juror: The seat's name.
        finding: None for a ballot that is not a vote.
        stands: Whether it is a guard's, which is not asked again.
    """

    juror: str
    finding: Finding | None
    stands: bool = False


Votes = tuple[Vote, ...]
"""The ballots of one round, in seat order."""


@dataclass(frozen=True, slots=True)
class DiscussedCase:
    """A case that was discussed.

    Attributes:
        case_id: Its id.
        query_id: The query's.
        target: The target's name.
        condition: Name of its condition, empty for none.
        before: What the rule finds by the ballots of round 0.
        after: What it finds by those that make the verdict.
        rounds: The ballots of each round, up to that whose ballots make the verdict.
        spoken: Who spoke to whom, by seat, in order.
        summed_up: Whether the foreperson summed up.
        misstated: Whether its summary was left out, because it misstated the votes or the verdict.
        arms: The votes that were held without the talk, by arm.
    """

    case_id: str
    query_id: str
    target: str
    condition: str
    before: Finding | None
    after: Finding | None
    rounds: tuple[Votes, ...]
    spoken: tuple[tuple[str, str], ...] = ()
    summed_up: bool = False
    misstated: bool = False
    arms: Mapping[TalkArm, Votes] = field(default_factory=dict[TalkArm, Votes])


class _Ballot(msgspec.Struct):
    juror: str
    finding: Finding | None = None
    guard: object = None


class _Revealed(msgspec.Struct):
    ballots: tuple[_Ballot, ...]
    arm: TalkArm | None = None


class _Remark(msgspec.Struct):
    juror: str
    outcome: RemarkOutcome
    to_juror: str | None = None


class _RemarkMade(msgspec.Struct):
    remark: _Remark


class _SummedUp(msgspec.Struct):
    text: str
    detail: str | None = None


class _Result(msgspec.Struct):
    finding: Finding | None
    initial_finding: Finding | None
    condition: str = ""
    revote_lost: bool = False
    summary_dropped: bool = False
    decision: str | None = None
    majority: Finding | None = None


_decode_result = msgspec.json.Decoder(_Result).decode
_decode_revealed = msgspec.json.Decoder(_Revealed).decode
_decode_remark = msgspec.json.Decoder(_RemarkMade).decode
_decode_summary = msgspec.json.Decoder(_SummedUp).decode


def discussed_cases(stored: Iterable[Discussion]) -> Iterator[DiscussedCase]:
    """Yield discussed cases as a record has them.

    Where ballots of the last round were lost, the verdict is by an earlier one, and so is this.

    Raises:
        RecordChangedError: One cannot be read.
    """
    for one in stored:
        try:
            yield _read(one)
        except (msgspec.MsgspecError, RecursionError, ValueError) as error:
            raise RecordChangedError(
                f"the case {one.case_id!r} cannot be read ({error}): restore the record from a copy"
            ) from None


def _read(stored: Discussion) -> DiscussedCase:
    result = _decode_result(stored.result)
    rounds, spoken = list[Votes](), list[tuple[str, str]]()
    arms, summed_up = dict[TalkArm, Votes](), False
    for kind, body in stored.entries:
        if kind == "RemarkMade":
            said = _decode_remark(body).remark
            if said.outcome is RemarkOutcome.SPOKE and said.to_juror is not None:
                spoken.append((said.juror, said.to_juror))
        elif kind == "SummedUp":
            summed_up = bool(_decode_summary(body).text)
        else:
            revealed = _decode_revealed(body)
            votes = tuple(Vote(b.juror, b.finding, b.guard is not None) for b in revealed.ballots)
            if revealed.arm is None:
                rounds.append(votes)
            else:
                arms[revealed.arm] = votes
    if result.revote_lost:
        del rounds[-1:]
    return DiscussedCase(
        stored.case_id,
        stored.query_id,
        stored.target,
        result.condition,
        result.initial_finding,
        result.finding if result.decision is None else result.majority,
        tuple(rounds),
        tuple(spoken),
        summed_up or result.summary_dropped,
        result.summary_dropped,
        arms,
    )
