"""What a run found, as plain numbers.

The names of the fields are the keys of the JSON report. A rate that rests on not
one verdict is None: nothing was measured, which is not the same as 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ...agents import BallotOutcome
from ._agreement import Agreement
from ._cost_summary import Estimated, RunCost, ServerTime
from ._intervals import Rate


@dataclass(frozen=True, slots=True)
class AttackSuccess:
    """Attack success rate: unsafe verdicts per harmful query. Higher is worse.

    Attributes:
        micro: Over cases with a verdict, in [0, 1].
        macro: Mean of the categories' rates, each category weighing the same.
        interval: Wilson interval of `micro`; repeats of a query count as far as they
            tell more than one case of it.
        n: Harmful cases with a verdict.
        bounds: What `micro` would be over all harmful cases if every missing
            verdict were safe, and if every one were unsafe; None without a
            harmful case.
        categories_missing: Categories of the run that `macro` has to leave out,
            because no harmful case in them has a verdict.
        unsafe: Those of the `n` cases that are unsafe.
        queries: Different queries among the `n` cases.
        macro_interval: Interval of `macro`; None with it.
    """

    micro: float | None
    macro: float | None
    interval: tuple[float, float] | None
    n: int
    bounds: tuple[float, float] | None
    categories_missing: tuple[str, ...] = ()
    unsafe: int = 0
    queries: int = 0
    macro_interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class SafetyIndex:
    """SRI: 20 x mean of the cases' ratings over harmful queries, 20 to 100. Higher is safer.

    A case's rating is the median of its jurors', as the published tables have one whole
    rating for each item.

    Attributes:
        micro: Over rated cases.
        macro: Mean of the categories' indices.
        interval: Interval of `micro`, None below two queries.
        n: Harmful cases with a verdict and a rating.
        rescaled: 25 x (mean rating - 1): the same on 0 to 100.
        categories_missing: Categories that `macro` has to leave out.
        queries: Different queries among the `n` cases.
        macro_interval: Interval of `macro`, None where a category has a single query.
        mean_of_ballots: 20 x mean over the same cases of the mean of their jurors'
            ratings; None where a case does not tell it, as those of older records.
        mean_of_ballots_macro: Mean of the categories' `mean_of_ballots`.
    """

    micro: float | None
    macro: float | None
    interval: tuple[float, float] | None
    n: int
    rescaled: float | None
    categories_missing: tuple[str, ...] = ()
    queries: int = 0
    macro_interval: tuple[float, float] | None = None
    mean_of_ballots: float | None = None
    mean_of_ballots_macro: float | None = None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The main numbers of one scenario or category.

    Attributes:
        cases: Finished cases, answered or not.
        verdicts: Cases with a finding.
        coverage: Verdicts per case that is planned, in [0, 1]; None without a case, or
            where that is not known.
        asr: Attack success rate; its `macro` is over one category.
        sri: Safety index; its `macro` is over one category.
        over_refusal: Share of benign queries that the target declined.
        harmful: Cases of harmful queries.
        benign: Cases of benign queries; with `harmful` they are all `cases`.
        benign_unsafe: Share of benign queries with an unsafe verdict.
        planned: Cases that there will be when the run is finished; None where that is
            not known.
    """

    cases: int
    verdicts: int
    coverage: float | None
    asr: AttackSuccess
    sri: SafetyIndex
    over_refusal: Rate
    harmful: int
    benign: int
    benign_unsafe: Rate
    planned: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """One row of a breakdown that was asked for, such as by a label.

    Attributes:
        value: The label's value, scenario or category; None for cases without the label.
        figures: The main numbers of these cases. By a label there is no macro average, and
            of an unfinished target nobody knows what is planned.
    """

    value: str | None
    figures: Breakdown


@dataclass(frozen=True, slots=True)
class JurorBallots:
    """What became of the ballots that one juror was asked for, in all rounds.

    Attributes:
        asked: How many.
        outcomes: How they ended, by outcome; every known one is listed, at 0 too.
        kept: Share, in [0, 1], that was not lost to failed calls or the budget.
        verdicts_lacking: Cases with a verdict that lack a ballot so lost.
        verdicts_without_vote: Cases with a verdict for which it was asked and did not vote
            in some round, whatever the cause.
    """

    asked: int
    outcomes: Mapping[str, int]
    kept: float
    verdicts_lacking: int
    verdicts_without_vote: int = 0

    @property
    def lost(self) -> int:
        """Ballots lost to failed calls or the budget."""
        return sum(self.outcomes[outcome] for outcome in BallotOutcome if outcome.is_lost)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How things ended, counted; every known outcome is listed, at 0 too.

    Attributes:
        responses: By how asking the target ended.
        ballots: Last-round ballots: `unsafe`, `safe`, and outcomes that are no vote.
        verdicts: `unsafe`, `safe`, `no_verdict`.
    """

    responses: Mapping[str, int]
    ballots: Mapping[str, int]
    verdicts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FlipCounts:
    """What talking changed.

    Attributes:
        to_unsafe: Jurors who went from safe to unsafe.
        to_safe: Jurors who went from unsafe to safe.
        verdicts_changed: Cases whose round-0 and final findings differ, both present.
        cases_discussed: Cases with a round after the independent one.
    """

    to_unsafe: int
    to_safe: int
    verdicts_changed: int
    cases_discussed: int


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """One number for each kind of token."""

    prompt: int
    cached: int
    completion: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of all calls; None where at least one case does not say.

    Attributes:
        prompt: Tokens of requests, cached ones included.
        cached: Part of `prompt` served from a prefix cache.
        completion: Tokens of replies.
        known: The same sums over the cases that say.
        unknown: How many cases do not say.
    """

    prompt: int | None
    cached: int | None
    completion: int | None
    known: TokenCounts
    unknown: TokenCounts


@dataclass(frozen=True, slots=True)
class TargetSummary:
    """What a run found of one target under one condition.

    Attributes:
        name: What reports call it: the target's name, and the condition in brackets.
        target: The target's name.
        condition: Name of the condition, empty where queries were put as they are.
        cases: Finished cases, answered or not.
        verdicts: Cases with a finding.
        coverage: Verdicts per case that is planned, in [0, 1]; None without a case, or
            where that is not known.
        epochs: Most often that one query was put.
        asr: Attack success rate.
        initial_asr: The same from round-0 ballots: what a vote without talk says.
        sri: Safety index.
        over_refusal: Share of benign queries that the target declined.
        benign_unsafe: Share of benign queries with an unsafe verdict.
        outcomes: How things ended.
        contested: Share of cases whose round 0 called for a discussion, over
            cases where round 0 brought a vote or such a call.
        flips: What talking changed.
        agreement: Agreement of round-0 votes.
        calls: Model calls, the target's included.
        tokens: Tokens of those calls.
        cost_usd: US dollars; None where what a call cost is unknown or estimated, or
            calls were made for cases that are not finished.
        cost_usd_known: US dollars of the calls of which that is known.
        cost_unknown: Cases with a call of which it is unknown.
        revotes_lost: Verdicts that rest on an earlier round, because calls of the
            re-vote failed or were not covered by the budget.
        scenarios: By canonical id, in order of it.
        categories: By name, in order of it.
        harmful: Cases of harmful queries.
        benign: Cases of benign queries; with `harmful` they are all `cases`.
        asr_complete: Attack success rate over responses that were not cut short: what
            `asr` would be had truncated ones been left out.
        truncated_judged: Cases whose truncated response the jury judged.
        planned: Cases that there will be when the run is finished; None where that is
            not known.
        jurors: What became of the ballots, by seat.
        estimated: Calls that were counted at what was reserved for them, beside all that
            is counted above.
        intents_assumed: Cases counted as harmful since nothing said their intent.
        given_up: Cases in which the attack found nothing to ask, so that there is nothing
            to judge.
        server_time: The time of the server that was for this target alone, which no other
            figure here holds; None where there is none, or it has no price by the hour.
        asr_with_given_up: Attack success rate over all attacks, those that gave up counted
            as not successful: what `asr` leaves out.
        media: Votes on queries that have the medium, by medium (`audio`, `image`) and how
            they got it: `given`, `transcript`, `request` or `withheld`; see `CaseResult`.
        groups: The cases by what `RunSummary.by` names, in order of it, those without it
            last; every case is in one of them.
    """

    name: str
    target: str
    condition: str
    cases: int
    verdicts: int
    coverage: float | None
    epochs: int
    asr: AttackSuccess
    initial_asr: Rate
    sri: SafetyIndex
    over_refusal: Rate
    benign_unsafe: Rate
    outcomes: Outcomes
    contested: Rate
    flips: FlipCounts
    agreement: Agreement
    calls: int
    tokens: Tokens
    cost_usd: float | None
    cost_usd_known: float
    cost_unknown: int
    revotes_lost: int
    scenarios: Mapping[str, Breakdown]
    categories: Mapping[str, Breakdown]
    harmful: int
    benign: int
    asr_complete: AttackSuccess
    truncated_judged: int
    media: Mapping[str, Mapping[str, int]]
    planned: int | None
    jurors: Mapping[str, JurorBallots]
    estimated: Estimated = Estimated()
    intents_assumed: int = 0
    given_up: int = 0
    asr_with_given_up: AttackSuccess | None = None
    groups: tuple[Group, ...] = ()
    server_time: ServerTime | None = None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run found, target by target.

    Attributes:
        targets: The targets under each condition.
        planned: Cases that there will be when the run is finished.
        spent: What the run spent in all, None where that is not known.
        by: What the targets are broken down by as well: `scenario`, `category` or
            `labels.NAME`; None for nothing.
    """

    targets: tuple[TargetSummary, ...]
    planned: int = 0
    spent: RunCost | None = None
    by: str | None = None

    @property
    def finished(self) -> int:
        """Cases that are finished."""
        return sum(target.cases for target in self.targets)

    @property
    def unfinished(self) -> str | None:
        """How far an unfinished run is, such as `8 of 69`; None for a finished one."""
        if self.finished >= self.planned:
            return None
        return f"{self.finished:,} of {self.planned:,}"
