"""The result of a case, flattened for statistics."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec

from ...agents import BallotOutcome, Finding, RemarkOutcome
from ...common import no_items
from ...datasets import Intent, Query
from ...deliberation import CaseOpened, Flips, GuardVote, Verdict, VerdictAnnounced
from ...models import Usage
from ...targets import Response, ResponseOutcome
from ._trial import case_id_of

_N = TypeVar("_N", int, float)


# What a damaged record may not say: checked when a result is read, whoever wrote it.
_MOST = 2**53
_Count = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
_Some = Annotated[int, msgspec.Meta(ge=1, le=_MOST)]
_Usd = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]  # earlier versions let it be below 0
_Rating = Annotated[float, msgspec.Meta(ge=1, le=5)]
_Chance = Annotated[float, msgspec.Meta(ge=0, le=1)]
if TYPE_CHECKING:
    _Said = _Vote = _Outcome = _Turned = _Medium = _Way = _Quoting = str
else:
    _Vote = Literal[tuple(map(str, Finding))]
    _Outcome = Literal[tuple(map(str, BallotOutcome))]
    _Said = Literal[_Vote, _Outcome, "not_asked"]
    _Turned = Literal[tuple(map(str, RemarkOutcome))]
    _Medium = Literal["image", "audio"]
    _Way = Literal["given", "transcript", "request", "withheld"]
    _Quoting = Literal["quoting", "misquoting"]
_NotEmpty = msgspec.Meta(min_length=1)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A query as put to a target, and the response.

    Attributes:
        query: The query, changed by its condition.
        response: The target's response.
    """

    query: Query
    response: Response


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of a finished case.

    Attributes:
        target: The target's name.
        query_id: The query's id.
        epoch: Repetition, from 0.
        scenario: Canonical scenario id; the category is the part before the dot.
        intent: Harmful or benign.
        response_outcome: Outcome of the response.
        finding: The verdict, None for `no_verdict`.
        initial_finding: The same rule on round-0 ballots.
        rating: Median rating, 1 to 5, None where there is no verdict.
        contested: Whether round 0 called for a discussion.
        over_refusal: For benign queries: whether the target declined; None where
            that is not known. It may be known without a verdict.
        flips: Jurors who changed their finding.
        ballots: Last-round ballots by finding or outcome, as in `Verdict.tally`.
        initial_votes: Round-0 votes (`unsafe`, `safe`).
        calls: Model calls, the target's included.
        usage: Tokens, the target's included.
        cost_usd: US dollars, None where a price is unknown.
        rounds: Number of rounds, 1 without a discussion.
        condition: Name of its condition, empty for none.
        by_juror: Ballots asked for in all rounds, by seat and outcome; empty where
            nobody was asked, or it is not known.
        revote_lost: Whether the finding is that of an earlier round, because the
            re-vote was lost; see `Verdict.revote_lost`.
        mean_rating: Mean of the same ratings as `rating`, 1 to 5; None where there is no
            verdict, or the record is older than it.
        cost_usd_known: US dollars of the calls whose cost is known; None where that was
            not counted separately.
        intent_assumed: Whether `harmful` is a guess, because the query's intent is unknown.
        media: Votes by medium and how the jurors got it, as in `Verdict.media`; `request`
            instead of `withheld` where the set describes what text and media ask together.
        labels: The query's labels in its set, as in `Query.labels`.
        guards: What the jury's guards found in round 0, as in `Verdict.guards`.
        quotes: Ballots that quote the case, by seat, as in `Verdict.quotes`.
        talk: Turns at the roundtable by what came of them, as in `Verdict.talk`.
        summary_dropped: Whether the foreperson's summary was left out; see
            `Verdict.summary_dropped`.
        decision: Outcome of the foreperson's decision, where the rule is `foreperson`.
        majority: What the majority found beside it.
        probability: Probability that the response is unsafe, as in `Verdict.probability`.
    """

    target: str
    query_id: str
    epoch: _Count
    scenario: str
    intent: Intent
    response_outcome: ResponseOutcome
    finding: Finding | None
    initial_finding: Finding | None
    rating: _Rating | None
    contested: bool
    over_refusal: bool | None = None
    flips: Flips = Flips()
    ballots: Mapping[_Said, _Count] = field(default_factory=no_items)
    initial_votes: Mapping[_Vote, _Count] = field(default_factory=no_items)
    calls: _Count = 0
    usage: Usage = field(default_factory=Usage)
    cost_usd: _Usd | None = None
    rounds: _Count = 1
    condition: str = ""
    by_juror: Mapping[str, Annotated[Mapping[_Outcome, _Some], _NotEmpty]] = field(
        default_factory=no_items
    )
    revote_lost: bool = False
    mean_rating: _Rating | None = None
    cost_usd_known: _Usd | None = None
    intent_assumed: bool = False
    media: Mapping[_Medium, Annotated[Mapping[_Way, _Some], _NotEmpty]] = field(
        default_factory=no_items
    )
    labels: Mapping[str, str] = field(default_factory=no_items)
    guards: Mapping[str, GuardVote] = field(default_factory=no_items)
    quotes: Mapping[str, Annotated[Mapping[_Quoting, _Some], _NotEmpty]] = field(
        default_factory=no_items
    )
    talk: Mapping[_Turned, _Some] = field(default_factory=no_items)

    summary_dropped: bool = False
    decision: _Outcome | None = None
    majority: Finding | None = None
    probability: _Chance | None = None

    @property
    def case_id(self) -> str:
        """Id of the case, unique within the run."""
        return case_id_of(self.query_id, self.target, self.epoch, self.condition)

    @property
    def changed(self) -> bool:
        """Whether the verdicts of round 0 and of the end are both there, and differ."""
        first, last = self.initial_finding, self.finding
        return first is not None and last is not None and first is not last

    @property
    def lost_ballots(self) -> int:
        """Number of ballots lost to failed calls or the budget, in all rounds."""
        return sum(
            number
            for outcomes in self.by_juror.values()
            for outcome, number in outcomes.items()
            if BallotOutcome(outcome).is_lost
        ) + (self.decision is not None and BallotOutcome(self.decision).is_lost)


_members = [each.name for each in fields(CaseResult)]
_LATER = frozenset(_members[_members.index("condition") + 1 :])
"""Fields that results of earlier versions may lack."""


def result_of(
    target: str, epoch: int, exchange: Exchange, verdict: Verdict, *, condition: str = ""
) -> CaseResult:
    """Flatten a finished case. Without a finding there is no rating either."""
    query, response = exchange.query, exchange.response
    decided = verdict.finding is not None
    return CaseResult(
        target=target,
        query_id=query.id,
        epoch=epoch,
        scenario=query.scenario,
        intent=query.intent,
        response_outcome=response.outcome,
        finding=verdict.finding,
        initial_finding=verdict.initial_finding,
        rating=verdict.rating if decided else None,
        contested=verdict.contested,
        over_refusal=_over_refusal(query, response, verdict),
        flips=verdict.flips,
        ballots=verdict.tally,
        initial_votes={str(finding): verdict.initial_tally.get(finding, 0) for finding in Finding},
        calls=response.calls + verdict.calls,
        usage=_added(response.usage if response.calls else Usage(0, 0, 0), verdict.usage),
        cost_usd=_sum(response.cost_usd if response.calls else 0.0, verdict.cost_usd),
        rounds=verdict.rounds,
        condition=condition,
        by_juror=verdict.by_juror,
        revote_lost=verdict.revote_lost,
        mean_rating=verdict.mean_rating if decided else None,
        cost_usd_known=(response.cost_usd or 0.0)
        + (verdict.cost_usd_known or verdict.cost_usd or 0.0),
        intent_assumed=query.intent_assumed,
        media=_media(query, verdict),
        labels=query.labels,
        guards=verdict.guards,
        quotes=verdict.quotes,
        talk=verdict.talk,
        summary_dropped=verdict.summary_dropped,
        decision=None if verdict.decision is None else str(verdict.decision.outcome),
        majority=verdict.majority,
        probability=verdict.probability,
    )


def unlike_transcript(result: CaseResult, stored: str, opened: str, announced: str) -> list[str]:
    """Return the fields of a result that do not follow from its transcript.

    Fields that the version which stored it did not have are not compared.

    Args:
        result: The stored result.
        stored: Its JSON.
        opened: JSON of the entry that opened the case.
        announced: JSON of the entry that announced its verdict.

    Raises:
        msgspec.MsgspecError: An entry is malformed.
    """
    case = msgspec.json.decode(opened, type=CaseOpened).case
    again = result_of(
        result.target,
        result.epoch,
        Exchange(case.query, case.response),
        msgspec.json.decode(announced, type=VerdictAnnounced).verdict,
        condition=result.condition,
    )
    unknown = _LATER - msgspec.json.decode(stored, type=dict[str, Any]).keys()
    if result.finding is None and result.over_refusal is None:
        unknown |= {"over_refusal"}  # was not recorded without a verdict
    compared = (name for name in _members if name not in unknown)
    return [name for name in compared if getattr(result, name) != getattr(again, name)]


def _media(query: Query, verdict: Verdict) -> Mapping[str, Mapping[str, int]]:
    """Count votes by how the jurors got the media, the underlying request included."""
    if query.underlying_request is None:
        return verdict.media
    return {
        medium: {"request" if how == "withheld" else how: votes for how, votes in ways.items()}
        for medium, ways in verdict.media.items()
    }


def _over_refusal(query: Query, response: Response, verdict: Verdict) -> bool | None:
    """Return whether a benign query was declined; a provider's filter declines too."""
    if query.intent is not Intent.BENIGN:
        return None
    if response.outcome is ResponseOutcome.FILTERED:
        return True
    return verdict.declined


def _added(one: Usage, other: Usage) -> Usage:
    return Usage(
        _sum(one.prompt_tokens, other.prompt_tokens),
        _sum(one.cached_tokens, other.cached_tokens),
        _sum(one.completion_tokens, other.completion_tokens),
    )


def _sum(one: _N | None, other: _N | None) -> _N | None:
    return None if one is None or other is None else one + other
