"""The figures of a run, as plain numbers.

The names of the fields are the keys of the JSON report. A rate without a single
verdict is None: nothing was measured, which is not the same as 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...agents import BallotOutcome
from ._agreement import Agreement
from ._cost_summary import Estimated, RunCost, ServerTime
from ._guards import GuardFigures
from ._intervals import Rate
from ._presiding import ForepersonFigures


@dataclass(frozen=True, slots=True)
class AttackSuccess:
    """Attack success rate: unsafe verdicts per harmful query. Higher is worse.

    Attributes:
        micro: Over cases with a verdict, in [0, 1].
        macro: Mean of the categories' rates, each category weighing the same.
        interval: Wilson interval of `micro`, at the effective number of cases where
            queries are repeated.
        n: Harmful cases with a verdict.
        bounds: `micro` over all harmful cases if every missing verdict were
            safe, and if every one were unsafe; None without a
            harmful case.
        categories_missing: Categories of the run that `macro` leaves out,
            because no harmful case in them has a verdict.
        unsafe: Those of the `n` cases that are unsafe.
        queries: Different queries among the `n` cases.
        macro_interval: Interval of `macro`; None with it.
        corrected: What `micro` would be if people judged; None where nothing corrects it.
        corrected_interval: Interval of `corrected`; None with it.
        corrected_method: `labels` of the same run, or a `card` from elsewhere; empty where nothing
            was to correct it.
        corrected_labels: How many labels `corrected` rests on.
        corrected_cases: How many harmful cases `corrected` is of: those without a verdict are
            among them, if there was a response.
        corrected_why: Why `corrected` is None though something was to correct it.
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
    corrected: float | None = None
    corrected_interval: tuple[float, float] | None = None
    corrected_method: str = ""
    corrected_labels: int = 0
    corrected_cases: int = 0
    corrected_why: str = ""


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
        categories_missing: Categories that `macro` leaves out.
        queries: Different queries among the `n` cases.
        macro_interval: Interval of `macro`, None where a category has a single query.
        mean_of_ballots: 20 x mean over the same cases of the mean of their jurors'
            ratings; None where a case does not have it, as in older records.
        mean_of_ballots_macro: Mean of the categories' `mean_of_ballots`.
        corrected: What `micro` would be if people rated; None where nothing corrects it.
        corrected_interval: Interval of `corrected`; None with it.
        corrected_method: `labels` where people rated cases of the same run, else empty.
        corrected_labels: How many ratings `corrected` rests on.
        corrected_cases: How many harmful cases `corrected` is of, as for `AttackSuccess`.
        corrected_why: Why `corrected` is None though people rated cases.
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
    corrected: float | None = None
    corrected_interval: tuple[float, float] | None = None
    corrected_method: str = ""
    corrected_labels: int = 0
    corrected_cases: int = 0
    corrected_why: str = ""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The main figures of one scenario or category.

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
        planned: Cases that the finished run will have; None where that is not known.
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
    """One row of a requested breakdown, such as by a label.

    Attributes:
        value: The label's value, scenario or category; None for cases without the label.
        figures: The main figures of these cases. By a label there is no macro average, and
            for an unfinished target the planned cases are unknown.
    """

    value: str | None
    figures: Breakdown


@dataclass(frozen=True, slots=True)
class JurorBallots:
    """The ballots of one juror by outcome, in all rounds.

    Attributes:
        asked: Ballots that it was asked for.
        outcomes: Ballots by outcome; every known outcome is listed, at 0 too.
        kept: Share of ballots, in [0, 1], not lost to failed calls or the budget.
        verdicts_lacking: Cases with a verdict that lack a ballot lost in this way.
        verdicts_without_vote: Cases with a verdict for which it was asked and did not vote
            in some round, whatever the cause.
        quoting: Ballots that name words of the case, or a picture, that they rely on.
        misquoting: Those of them with a quote that does not stand in the case.
    """

    asked: int
    outcomes: Mapping[str, int]
    kept: float
    verdicts_lacking: int
    verdicts_without_vote: int = 0
    quoting: int = 0
    misquoting: int = 0

    @property
    def lost(self) -> int:
        """Ballots lost to failed calls or the budget."""
        return sum(self.outcomes[outcome] for outcome in BallotOutcome if outcome.is_lost)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Counts of responses, ballots and verdicts by outcome; every outcome is listed, at 0 too.

    Attributes:
        responses: Responses of the target.
        ballots: Last-round ballots: `unsafe`, `safe`, and outcomes that are no vote.
        verdicts: `unsafe`, `safe`, `no_verdict`.
    """

    responses: Mapping[str, int]
    ballots: Mapping[str, int]
    verdicts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FlipCounts:
    """The effect of deliberation on jurors and verdicts.

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
    """A count for each kind of token.

    Attributes:
        prompt: Tokens of requests, cached ones included.
        cached: Part of `prompt` served from a prefix cache.
        completion: Tokens of replies.
    """

    prompt: int
    cached: int
    completion: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of all calls; None where the usage of at least one case is unknown.

    Attributes:
        prompt: Tokens of requests, cached ones included.
        cached: Part of `prompt` served from a prefix cache.
        completion: Tokens of replies.
        known: The same sums over the cases with known usage.
        unknown: Number of cases with unknown usage.
    """

    prompt: int | None
    cached: int | None
    completion: int | None
    known: TokenCounts
    unknown: TokenCounts


@dataclass(frozen=True, slots=True)
class TargetSummary:
    """The figures of one target under one condition.

    Attributes:
        name: Its name in reports: the target's name, and the condition in brackets.
        target: The target's name.
        condition: Name of the condition, empty where queries were put as they are.
        cases: Finished cases, answered or not.
        verdicts: Cases with a finding.
        coverage: Verdicts per case that is planned, in [0, 1]; None without a case, or
            where that is not known.
        epochs: The most repetitions of a query.
        asr: Attack success rate.
        initial_asr: The same from round-0 ballots: the result of a vote without discussion.
        sri: Safety index.
        over_refusal: Share of benign queries that the target declined.
        benign_unsafe: Share of benign queries with an unsafe verdict.
        outcomes: Counts by outcome.
        contested: Share of cases whose round 0 called for a discussion, over
            cases where round 0 brought a vote or such a call.
        flips: The effect of deliberation.
        agreement: Agreement of round-0 votes.
        calls: Model calls, the target's included.
        tokens: Tokens of those calls.
        cost_usd: US dollars; None where the cost of a call is unknown or estimated, or
            calls were made for unfinished cases.
        cost_usd_known: US dollars of the calls whose cost is known.
        cost_unknown: Cases with a call of unknown cost.
        revotes_lost: Verdicts that rest on an earlier round, because calls of the
            re-vote failed or were not covered by the budget.
        scenarios: Figures by canonical id, sorted.
        categories: Figures by name, sorted.
        harmful: Cases of harmful queries.
        benign: Cases of benign queries; with `harmful` they are all `cases`.
        asr_complete: Attack success rate over complete responses: what `asr` would be without
            the truncated ones.
        truncated_judged: Cases whose truncated response the jury judged.
        planned: Cases that the finished run will have; None where that is not known.
        jurors: Ballots by outcome, by seat.
        estimated: Calls that were charged by estimate; no figure above includes them.
        intents_assumed: Cases counted as harmful because their intent is unknown.
        given_up: Cases in which the attack found nothing to ask, so there is nothing to judge.
        server_time: The time of the server that ran only this target, which no other figure
            here includes; None where there is none, or it has no hourly price.
        asr_with_given_up: Attack success rate over all attacks, those that gave up counted
            as not successful: what `asr` leaves out.
        media: Votes on queries that have the medium, by medium (`audio`, `image`) and how
            they got it: `given`, `transcript`, `request` or `withheld`; see `CaseResult`.
        guards: The votes of the jury's guards beside those of its general jurors, by seat.
        foreperson: What the foreperson's model decided, and its summaries that were left out.
        groups: The cases grouped by what `RunSummary.by` names, sorted, those without a value
            last; every case is in one group.
        talk: The jurors' turns at the roundtable by what came of them: `spoke`, `passed`, and
            the outcomes of those that failed; empty where none was held.
        heard: Cases in which jurors were asked.
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
    guards: Mapping[str, GuardFigures] = field(default_factory=dict[str, GuardFigures])
    talk: Mapping[str, int] = field(default_factory=dict[str, int])
    foreperson: ForepersonFigures = ForepersonFigures()
    heard: int = 0


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The figures of a run, target by target.

    Attributes:
        targets: The targets under each condition.
        planned: Cases that the finished run will have.
        spent: The total cost of the run, None where that is not known.
        by: What the targets are broken down by in addition: `scenario`, `category` or
            `labels.NAME`; None for nothing.
    """

    targets: tuple[TargetSummary, ...]
    planned: int = 0
    spent: RunCost | None = None
    by: str | None = None

    @property
    def finished(self) -> int:
        """Number of finished cases."""
        return sum(target.cases for target in self.targets)

    @property
    def unfinished(self) -> str | None:
        """The progress of an unfinished run, such as `8 of 69`; None for a finished one."""
        if self.finished >= self.planned:
            return None
        return f"{self.finished:,} of {self.planned:,}"
