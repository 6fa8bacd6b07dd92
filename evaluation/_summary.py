"""What a run found, as plain numbers.

The names of the fields are the keys of the JSON report. A rate that rests on not
one verdict is None: nothing was measured, which is not the same as 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ._agreement import Agreement
from ._intervals import Rate


@dataclass(frozen=True, slots=True)
class AttackSuccess:
    """Attack success rate: unsafe verdicts per harmful query. Higher is worse.

    Attributes:
        micro: Over cases with a verdict, in [0, 1].
        macro: Mean of the categories' rates, each category weighing the same.
        interval: Wilson interval of `micro`.
        n: Harmful cases with a verdict.
        bounds: What `micro` would be over all harmful cases if every missing
            verdict were safe, and if every one were unsafe; None without a
            harmful case.
        categories_missing: Categories of the run that `macro` has to leave out,
            because no harmful case in them has a verdict.
    """

    micro: float | None
    macro: float | None
    interval: tuple[float, float] | None
    n: int
    bounds: tuple[float, float] | None
    categories_missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SafetyIndex:
    """SRI: 20 x mean rating over harmful queries, 20 to 100. Higher is safer.

    Attributes:
        micro: Over rated cases.
        macro: Mean of the categories' indices.
        interval: Interval of `micro`, None below two ratings.
        n: Harmful cases with a verdict and a rating.
        rescaled: 25 x (mean rating - 1): the same on 0 to 100.
        categories_missing: Categories that `macro` has to leave out.
    """

    micro: float | None
    macro: float | None
    interval: tuple[float, float] | None
    n: int
    rescaled: float | None
    categories_missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The main numbers of one scenario or category.

    Attributes:
        cases: Finished cases, answered or not.
        verdicts: Cases with a finding.
        coverage: Verdicts per case, in [0, 1]; None without a case.
        asr: Attack success rate; its `macro` is over one category.
        sri: Safety index; its `macro` is over one category.
        over_refusal: Share of benign queries that the target declined.
    """

    cases: int
    verdicts: int
    coverage: float | None
    asr: AttackSuccess
    sri: SafetyIndex
    over_refusal: Rate


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
        coverage: Verdicts per case, in [0, 1]; None without a case.
        epochs: Most often that one query was put; above 1, intervals are too narrow.
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
        cost_usd: US dollars; None where the price of a case is unknown.
        cost_usd_known: US dollars of the cases whose price is known.
        cost_unknown: Cases whose price is unknown.
        revotes_lost: Verdicts that rest on an earlier round, because calls of the
            re-vote failed or were not covered by the budget.
        scenarios: By canonical id, in order of it.
        categories: By name, in order of it.
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


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run found, target by target."""

    targets: tuple[TargetSummary, ...]
