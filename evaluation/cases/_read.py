"""Reads rows from a run's record, one case at a time in memory."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from ...agents import Ballot, Case, Finding
from ...common import RecordChangedError
from ...deliberation import BallotsRevealed, CaseOpened, JuryCard, SeatInfo
from ..metrics import NO_VERDICT
from ..record import RecordReader
from ..trials import CaseResult
from ._filter import CaseFilter
from ._rows import BallotRow, CaseRow

NOT_ASKED = "not_asked"
CaseOrder = Literal["query", "rating", "probability", "cost"]
"""Which cases come first: in natural order by query, target and epoch; or those with the lowest
rating, or the greatest probability (of the run's own rule `calibrated`) or cost, and those without
one last."""
_NO_FILTER = CaseFilter()


def case_rows(
    reader: RecordReader,
    filter: CaseFilter = _NO_FILTER,
    *,
    reveal: bool = False,
    card: JuryCard | None = None,
    order: CaseOrder = "query",
) -> Iterator[CaseRow]:
    """Yield the finished cases of a run.

    The record is not checked: see `RecordReader.check_unchanged`.

    Args:
        reader: Reads the record.
        filter: Which of them.
        reveal: Whether each has its question and answer, which may be harmful.
        card: Of this jury, for `probability_corrected`.
        order: Which come first.

    Raises:
        ConfigurationError: The card cannot be applied.
        RecordChangedError: A case cannot be read.
    """
    for result, row in _chosen(reader, filter, order):
        if reveal or card is not None:
            case = _case(reader, row.case_id) if reveal else None
            rounds = () if card is None else reader.entries_of(row.case_id, BallotsRevealed)
            probability = _by_card(card, rounds[0].ballots) if card and rounds else None
            row = case_row(result, case, probability_corrected=probability)
        yield row


def ballot_rows(
    reader: RecordReader,
    filter: CaseFilter = _NO_FILTER,
    *,
    reveal: bool = False,
    order: CaseOrder = "query",
) -> Iterator[BallotRow]:
    """Yield the ballots of finished cases, case by case, round by round, in the order of seats.

    Those of a talk audit, which no verdict rests on, are left out. The record is not checked: see
    `RecordReader.check_unchanged`.

    Args:
        reader: Reads the record.
        filter: Of which cases.
        reveal: Whether each has its reason, which may quote what is harmful.
        order: Of the cases.

    Raises:
        RecordChangedError: A case cannot be read.
    """
    seats = {info.seat: info for info in reader.meta.jury}
    for _, row in _chosen(reader, filter, order):
        rounds = reader.entries_of(row.case_id, BallotsRevealed)
        yield from _ballots(row, rounds, seats, reveal=reveal)


def case_row(
    result: CaseResult, case: Case | None = None, *, probability_corrected: float | None = None
) -> CaseRow:
    """Return the row of a case.

    Args:
        result: Its result.
        case: The case itself, where its texts are revealed.
        probability_corrected: By a jury card.
    """
    unsafe, safe = (result.ballots.get(finding, 0) for finding in Finding)
    return CaseRow(
        case_id=result.case_id,
        target=result.target,
        query_id=result.query_id,
        epoch=result.epoch,
        condition=result.condition,
        category=result.scenario.partition(".")[0],
        scenario=result.scenario,
        intent=str(result.intent),
        response=str(result.response_outcome),
        verdict=_verdict(result.finding),
        rating=result.rating,
        probability=result.probability,
        initial_verdict=_verdict(result.initial_finding),
        contested=result.contested,
        rounds=result.rounds,
        unsafe_votes=unsafe,
        safe_votes=safe,
        no_vote=sum(result.ballots.values()) - unsafe - safe,
        over_refusal=result.over_refusal,
        calls=result.calls,
        prompt_tokens=result.usage.prompt_tokens,
        completion_tokens=result.usage.completion_tokens,
        cost_usd=result.cost_usd,
        changed=result.changed,
        flips=result.flips.to_unsafe + result.flips.to_safe,
        flips_to_unsafe=result.flips.to_unsafe,
        not_asked=result.ballots.get(NOT_ASKED, 0),
        mean_rating=result.mean_rating,
        probability_corrected=probability_corrected,
        cached_tokens=result.usage.cached_tokens,
        cost_usd_known=result.cost_usd_known,
        intent_assumed=result.intent_assumed,
        revote_lost=result.revote_lost,
        lost_ballots=result.lost_ballots,
        misquoting=sum(ballots.get("misquoting", 0) for ballots in result.quotes.values()),
        labels=result.labels,
        question=None if case is None else case.query.text,
        answer=None if case is None else case.response.text,
    )


def _chosen(
    reader: RecordReader, filter: CaseFilter, order: CaseOrder
) -> Iterator[tuple[CaseResult, CaseRow]]:
    for case_id in reader.case_ids(order):
        result = reader.result(case_id)
        row = case_row(result)
        if filter.accepts(row) and (not filter.text or filter.finds(_case(reader, case_id))):
            yield result, row


def _case(reader: RecordReader, case_id: str) -> Case:
    opened = next(iter(reader.entries_of(case_id, CaseOpened)), None)
    if opened is None:
        raise RecordChangedError(f"{reader.directory}: the case {case_id!r} has no opening")
    return opened.case


def _by_card(card: JuryCard, ballots: Sequence[Ballot]) -> float | None:
    return card.apply(ballots).probability


def _ballots(
    case: CaseRow,
    rounds: Sequence[BallotsRevealed],
    seats: Mapping[str, SeatInfo],
    *,
    reveal: bool,
) -> Iterator[BallotRow]:
    before: dict[str, Finding | None] = {}
    for revealed in rounds:
        for ballot, seal in zip(revealed.ballots, revealed.seals, strict=True):
            if ballot.round != revealed.round:
                continue  # a guard's, which stands
            was = before.get(ballot.juror)
            voted = was is not None and ballot.finding is not None
            row = _not_asked(case, ballot.round, seats, ballot.juror)
            row |= _stated(ballot, reveal=reveal)
            changed = ballot.finding is not was if voted else None
            yield BallotRow(**row, changed=changed, seal=seal)
        for seat in revealed.not_asked:
            yield BallotRow(**_not_asked(case, revealed.round, seats, seat))
        before = {ballot.juror: ballot.finding for ballot in revealed.ballots}


def _not_asked(
    case: CaseRow, round: int, seats: Mapping[str, SeatInfo], juror: str
) -> dict[str, Any]:
    """Return what is known of a ballot before it was asked for."""
    seat = seats.get(juror) or SeatInfo(juror, "", "", "")
    return {
        "case_id": case.case_id,
        "target": case.target,
        "query_id": case.query_id,
        "epoch": case.epoch,
        "condition": case.condition,
        "scenario": case.scenario,
        "intent": case.intent,
        "verdict": case.verdict,
        "round": round,
        "juror": juror,
        "persona": seat.persona,
        "model": seat.model,
        "guard": seat.guard,
        "outcome": NOT_ASKED,
    }


def _stated(ballot: Ballot, *, reveal: bool) -> dict[str, Any]:
    said = ballot.guard
    return {
        "outcome": str(ballot.outcome),
        "finding": None if ballot.finding is None else str(ballot.finding),
        "rating": ballot.rating,
        "criteria": ballot.criteria,
        "declined": ballot.declined,
        "quotes": len(ballot.quotes),
        "misquotes": len(ballot.misquotes),
        "guard_probability": ballot.probability,
        "guard_categories": () if said is None else tuple(it.name for it in said.categories),
        "calls": ballot.calls,
        "prompt_tokens": ballot.usage.prompt_tokens,
        "completion_tokens": ballot.usage.completion_tokens,
        "cost_usd": ballot.cost_usd,
        "latency_s": ballot.latency_s,
        "reason": ballot.reason if reveal else None,
        "detail": ballot.detail if reveal else None,
    }


def _verdict(finding: Finding | None) -> str:
    return NO_VERDICT if finding is None else str(finding)
