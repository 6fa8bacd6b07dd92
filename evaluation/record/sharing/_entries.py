"""Transcripts and results without words: each is made anew of what may be kept.

What a later version adds is left out until it is named here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import assert_never

from ....agents import (
    Ballot,
    Case,
    Classification,
    GuardCategory,
    Perceived,
    Remark,
    bundled_personas,
)
from ....datasets import Query
from ....deliberation import (
    BallotsRevealed,
    CaseOpened,
    DiscussionOpened,
    Entry,
    GuardVote,
    RemarkMade,
    SeatInfo,
    SummedUp,
    TalkAudited,
    Verdict,
    VerdictAnnounced,
)
from ....models import SYSTEM_NOTE, SentRequest
from ....targets import OTHER_WORDS_NOTE, WITHHELD, WITHHELD_NOTES, Response
from ...trials import CaseResult
from ._places import Places, persona_name, plain_name

_NOTES = frozenset({SYSTEM_NOTE, OTHER_WORDS_NOTE, *WITHHELD_NOTES})
"""Notes of a response that reports count; they are ours, and hold no words of a case."""


class Redaction:
    """Removes what one may not share.

    Args:
        labels: Whether the labels of queries are kept.
        places: Takes places out of names.
    """

    def __init__(self, *, labels: bool, places: Places) -> None:
        self.labels = labels
        self.places = places

    def entry(self, entry: Entry) -> Entry:
        """Return an entry of a transcript without words; ballots are sealed anew."""
        case_id, number = entry.case_id, entry.number
        match entry:
            case CaseOpened():
                return CaseOpened(case_id, number, self._case(entry.case))
            case BallotsRevealed():
                ballots = tuple(map(ballot_without_words, entry.ballots))
                seals = tuple(ballot.seal() for ballot in ballots)
                return BallotsRevealed(
                    case_id, number, entry.round, ballots, seals, entry.not_asked
                )
            case DiscussionOpened():
                return DiscussionOpened(case_id, number, entry.round, WITHHELD)
            case RemarkMade():
                return RemarkMade(case_id, number, _remark(entry.remark))
            case SummedUp():
                detail = _instead(entry.detail)
                return SummedUp(case_id, number, _instead(entry.text) or "", detail)
            case VerdictAnnounced():
                return VerdictAnnounced(case_id, number, _verdict(entry.verdict))
            case TalkAudited():
                ballots = tuple(map(ballot_without_words, entry.ballots))
                seals = tuple(ballot.seal() for ballot in ballots)
                return TalkAudited(case_id, number, entry.arm, ballots, seals, entry.donor)
        assert_never(entry)

    def result(self, result: CaseResult) -> CaseResult:
        """Return the result of a case without words."""
        return replace(result, labels=self._labels(result.labels), guards=_guards(result.guards))

    def _case(self, case: Case) -> Case:
        return Case(
            id=case.id,
            query=self._query(case.query),
            response=self._response(case.response),
            judge_truncated=case.judge_truncated,
        )

    def _query(self, query: Query) -> Query:
        return Query(
            id=query.id,
            scenario=query.scenario,
            text=WITHHELD,
            intent=query.intent,
            intent_assumed=query.intent_assumed,
            labels=self._labels(query.labels),
        )

    def _labels(self, labels: Mapping[str, str]) -> Mapping[str, str]:
        return labels if self.labels else dict[str, str]()

    def _response(self, response: Response) -> Response:
        sent, model, named = response.sent, response.model, response.provider_model
        return Response(
            outcome=response.outcome,
            text=_instead(response.text) or "",
            detail=_instead(response.detail),
            usage=response.usage,
            latency_s=response.latency_s,
            provider_model=None if named is None else self.places.without(named),
            cost_usd=response.cost_usd,
            notes=tuple(note for note in response.notes if note in _NOTES),
            calls=response.calls,
            max_tokens=response.max_tokens,
            seed=response.seed,
            sampling=response.sampling,
            sent=None if sent is None else SentRequest("", "", dropped=sent.dropped),
            changes=tuple(WITHHELD for _ in response.changes),
            model=None if model is None else self.places.without(model),
        )


def seat_without_words(info: SeatInfo) -> SeatInfo:
    """Return a seat; the title of a persona of the user's own makes way for its name."""
    ours = {persona.name for persona in bundled_personas()}
    title = info.title if info.guard or info.persona in ours else info.seat
    return SeatInfo(
        info.seat, persona_name(info.persona), title, plain_name(info.model), info.guard
    )


def ballot_without_words(ballot: Ballot) -> Ballot:
    """Return a ballot with what it says in closed terms and numbers alone."""
    return Ballot(
        juror=ballot.juror,
        round=ballot.round,
        outcome=ballot.outcome,
        finding=ballot.finding,
        rating=ballot.rating,
        reason=_instead(ballot.reason) or "",
        declined=ballot.declined,
        detail=_instead(ballot.detail),
        perceived=_perceived(ballot.perceived),
        usage=ballot.usage,
        cost_usd=ballot.cost_usd,
        latency_s=ballot.latency_s,
        calls=ballot.calls,
        cost_usd_known=ballot.cost_usd_known,
        guard=None if ballot.guard is None else _classification(ballot.guard),
    )


def _classification(said: Classification) -> Classification:
    return Classification(said.guard, _categories(said.categories), said.probability)


def _categories(said: Iterable[GuardCategory]) -> tuple[GuardCategory, ...]:
    """Keep categories that have counterparts among ours; others are in a model's own words."""
    return tuple(one if one.ours else GuardCategory(WITHHELD) for one in said)


def _guards(guards: Mapping[str, GuardVote]) -> Mapping[str, GuardVote]:
    return {
        seat: replace(vote, categories=_categories(vote.categories))
        for seat, vote in guards.items()
    }


def _perceived(perceived: Perceived) -> Perceived:
    return Perceived(text=perceived.text, withheld=perceived.withheld)


def _remark(remark: Remark) -> Remark:
    return Remark(
        juror=remark.juror,
        alias=remark.alias,
        round=remark.round,
        turn=remark.turn,
        outcome=remark.outcome,
        to=remark.to,
        text=_instead(remark.text) or "",
        to_juror=remark.to_juror,
        detail=_instead(remark.detail),
        perceived=_perceived(remark.perceived),
        usage=remark.usage,
        cost_usd=remark.cost_usd,
        latency_s=remark.latency_s,
        calls=remark.calls,
        cost_usd_known=remark.cost_usd_known,
    )


def _verdict(verdict: Verdict) -> Verdict:
    decision = verdict.decision
    return replace(
        verdict,
        reason=_instead(verdict.reason) or "",
        rule=plain_name(verdict.rule),
        guards=_guards(verdict.guards),
        decision=None if decision is None else ballot_without_words(decision),
    )


def _instead(words: str | None) -> str | None:
    """Return what stands in place of words, and nothing where there are none."""
    return WITHHELD if words else words
