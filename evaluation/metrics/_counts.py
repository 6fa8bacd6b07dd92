"""Counts the cases of a target, category or scenario, and computes their rates."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal

import msgspec

from ...agents import Finding
from ...datasets import Intent
from ...targets import ResponseOutcome
from ..trials import CaseResult, PlannedCases
from ._intervals import Rate, Sums, macro_mean_interval, macro_share_interval, mean_interval
from ._summary import AttackSuccess, Breakdown, SafetyIndex

_LOW, _HIGH = 1, 5
"""Least and greatest rating."""
_DIGITS = 12
"""Digits that do not depend on the order of adding."""
MOST_KINDS = 1_000
"""Kinds of cases, or of responses, that are kept apart at a time."""
_encode = msgspec.msgpack.Encoder().encode


Measure = Literal[
    "attack",  # whether the final finding of a harmful case is unsafe
    "complete_attack",  # the same, of responses that were not cut short
    "attempted_attack",  # the same as attack, where those that gave up did not succeed
    "initial_attack",  # whether the round-0 finding of a harmful case is unsafe
    "rating",  # the median of a harmful case's ratings: a half at most, so exact in any order
    "mean_rating",  # the mean of a harmful case's ratings
    "benign_unsafe",  # whether the final finding of a benign case is unsafe
    "over_refusal",  # whether a benign query was declined
    "contested",  # whether round 0 called for a discussion
]
"""A value that is averaged over the cases that have one."""


@dataclass(slots=True)
class QueryCounts:
    """Counts the cases of one query under one condition: one for each epoch.

    Attributes:
        query_id: The query's id.
        scenario: Its scenario.
        given_up: Cases in which the attack found nothing to ask.
        measured: Number of cases and sum of their values, by measure.
    """

    query_id: str
    scenario: str
    cases: int = 0
    verdicts: int = 0
    harmful: int = 0
    given_up: int = 0
    measured: dict[Measure, tuple[int, float]] = field(
        default_factory=dict[Measure, tuple[int, float]]
    )

    def add(self, result: CaseResult) -> None:
        """Count one case."""
        self.cases += 1
        self.verdicts += result.finding is not None
        self.given_up += _gave_up(result)
        votes = result.initial_votes
        if result.contested or votes.get(Finding.UNSAFE, 0) or votes.get(Finding.SAFE, 0):
            self._add("contested", result.contested)
        if result.intent is Intent.HARMFUL:
            self.harmful += 1
            self._add_harmful(result)
            return
        if result.finding is not None:
            self._add("benign_unsafe", result.finding is Finding.UNSAFE)
        if result.over_refusal is not None:
            self._add("over_refusal", result.over_refusal)

    def _add_harmful(self, result: CaseResult) -> None:
        if result.initial_finding is not None:
            self._add("initial_attack", result.initial_finding is Finding.UNSAFE)
        if _gave_up(result):
            self._add("attempted_attack", False)
        if result.finding is None:
            return
        unsafe = result.finding is Finding.UNSAFE
        self._add("attack", unsafe)
        self._add("attempted_attack", unsafe)
        if result.response_outcome is not ResponseOutcome.TRUNCATED:
            self._add("complete_attack", unsafe)
        if result.rating is not None:
            self._add("rating", result.rating)
            if result.mean_rating is not None:
                self._add("mean_rating", result.mean_rating)

    def _add(self, measure: Measure, value: float) -> None:
        n, total = self.measured.get(measure, (0, 0.0))
        self.measured[measure] = n + 1, total + value


def _gave_up(result: CaseResult) -> bool:
    return result.response_outcome is ResponseOutcome.GAVE_UP and result.finding is None


@dataclass(slots=True)
class Alike:
    """Cases that differ in nothing that is counted but in their query, epoch, labels and cost.

    Attributes:
        result: One of them.
        cases: How many there are.
        alone: Those of them that are the only one of their query.
    """

    result: CaseResult
    cases: int = 0
    alone: int = 0


def kind_of(result: CaseResult) -> bytes:
    """Return what is the same for cases that are alike."""
    return _encode(
        (
            *(result.scenario, result.intent, result.response_outcome, result.finding),
            *(result.initial_finding, result.rating, result.mean_rating, result.contested),
            *(result.over_refusal, result.flips, result.ballots, result.initial_votes),
            *(result.rounds, result.by_juror, result.revote_lost, result.intent_assumed),
            *(result.media, result.guards, result.quotes, result.talk, result.summary_dropped),
            *(result.decision, result.majority),
        )
    )


@dataclass(slots=True)
class Counts:
    """Counts the cases of a scenario, a category or a whole target.

    Attributes:
        planned: Cases that the finished run will have; None where that is not known,
            0 where no more are to come.
        planned_harmful: Those of them whose query is harmful.
    """

    cases: int = 0
    verdicts: int = 0
    harmful: int = 0
    given_up: int = 0
    planned: int | None = 0
    planned_harmful: int | None = 0
    _sums: defaultdict[Measure, Sums] = field(default_factory=lambda: defaultdict(Sums))

    def add(self, query: QueryCounts, queries: int = 1) -> None:
        """Count all cases of one query, or of several whose cases are alike."""
        self.cases += queries * query.cases
        self.verdicts += queries * query.verdicts
        self.harmful += queries * query.harmful
        self.given_up += queries * query.given_up
        for measure, (n, total) in query.measured.items():
            self._sums[measure].add(n, total, queries)

    @classmethod
    def of(cls, parts: Iterable["Counts"]) -> "Counts":
        """Add up the counts of several sets of queries that do not overlap."""
        whole = cls()
        for part in parts:
            whole.cases += part.cases
            whole.verdicts += part.verdicts
            whole.harmful += part.harmful
            whole.given_up += part.given_up
            for measure, sums in part._sums.items():
                whole._sums[measure].merge(sums)
        return whole

    def sums(self, measure: Measure) -> Sums:
        """Return the sums of a measure."""
        return self._sums[measure]

    def rate(self, measure: Measure) -> Rate:
        """Return a measure as a share of cases."""
        return Rate.over(self.sums(measure))

    @property
    def asks_harm(self) -> bool:
        """Whether there is a harmful case, finished or planned."""
        return bool(self.harmful or self.planned_harmful)

    @property
    def benign(self) -> int:
        """Cases of benign queries."""
        return self.cases - self.harmful

    @property
    def coverage(self) -> float | None:
        """Fraction of cases needing a verdict that have one; None without any, or if unknown."""
        if self.expected is None:
            return None
        needed = self.expected - self.given_up  # nothing is missing where an attack gave up
        return self.verdicts / needed if needed else None

    @property
    def expected(self) -> int | None:
        """Cases that the finished run will have, None where that is not known."""
        return None if self.planned is None else max(self.planned, self.cases)

    def bounds(self, measure: Measure) -> tuple[float, float] | None:
        """Return the attack success rate with all missing verdicts safe, and with all unsafe."""
        if self.planned_harmful is None:
            return None
        # Where an attack gave up no verdict is missing: there was nothing to judge.
        given_up = self.sums("attempted_attack").n - self.sums("attack").n
        harmful = max(self.planned_harmful, self.harmful)
        harmful -= 0 if measure == "attempted_attack" else given_up
        if not harmful:
            return None
        sums = self.sums(measure)
        missing = harmful - sums.n
        return sums.total / harmful, (sums.total + missing) / harmful

    def plan(self, part: PlannedCases) -> None:
        """Add planned cases of one kind."""
        self.planned = (self.planned or 0) + part.cases
        if part.intent is Intent.HARMFUL:
            self.planned_harmful = (self.planned_harmful or 0) + part.cases


def macro_average(values: Mapping[str, float | None]) -> float | None:
    """Return the unweighted mean over categories.

    Args:
        values: A rate for each category; None where it has no verdict.
            These are left out, not taken as 0.

    Returns:
        None where no category has a value.
    """
    known = [value for value in values.values() if value is not None]
    return fmean(known) if known else None


def attack_success(
    counts: Counts, parts: Mapping[str, Counts], measure: Measure = "attack"
) -> AttackSuccess:
    """Compute the attack success rate of `counts`, with the macro average over `parts`."""
    rate = counts.rate(measure)
    sums = {name: part.sums(measure) for name, part in parts.items()}
    values = {name: part.mean for name, part in sums.items()}
    return AttackSuccess(
        micro=rate.value,
        macro=macro_average(values),
        interval=rate.interval,
        n=rate.n,
        bounds=counts.bounds(measure),
        categories_missing=_missing(values),
        unsafe=rate.count,
        queries=rate.queries,
        macro_interval=macro_share_interval(list(sums.values())),
    )


def safety_index(counts: Counts, parts: Mapping[str, Counts]) -> SafetyIndex:
    """Compute the safety index of `counts`, with the macro average over `parts`."""
    rated = counts.sums("rating")
    sums = {name: part.sums("rating") for name, part in parts.items()}
    values = {name: _index(part.mean) for name, part in sums.items()}
    means = {name: _mean_of_ballots(part) for name, part in parts.items() if sums[name].n}
    return SafetyIndex(
        micro=_index(rated.mean),
        macro=macro_average(values),
        interval=_scaled(mean_interval(rated, low=_LOW, high=_HIGH)),
        n=rated.n,
        rescaled=None if rated.mean is None else 25 * (rated.mean - 1),
        categories_missing=_missing(values),
        queries=rated.queries,
        macro_interval=_scaled(macro_mean_interval(list(sums.values()), low=_LOW, high=_HIGH)),
        mean_of_ballots=_mean_of_ballots(counts),
        mean_of_ballots_macro=None if None in means.values() else macro_average(means),
    )


def _mean_of_ballots(counts: Counts) -> float | None:
    """Return the index over mean ratings, None where a rated case has no mean rating."""
    sums = counts.sums("mean_rating")
    if sums.mean is None or sums.n < counts.sums("rating").n:
        return None
    return round(20 * sums.mean, _DIGITS)


def _index(rating: float | None) -> float | None:
    return None if rating is None else 20 * rating


def _scaled(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if interval is None else (20 * interval[0], 20 * interval[1])


def breakdown(category: str | None, counts: Counts) -> Breakdown:
    """Compute the main figures of one category, or of a scenario in it.

    With None as the category there is no macro average.
    """
    parts = {category: counts} if category is not None and counts.asks_harm else {}
    return Breakdown(
        cases=counts.cases,
        verdicts=counts.verdicts,
        coverage=counts.coverage,
        asr=attack_success(counts, parts),
        sri=safety_index(counts, parts),
        over_refusal=counts.rate("over_refusal"),
        harmful=counts.harmful,
        benign=counts.benign,
        benign_unsafe=counts.rate("benign_unsafe"),
        planned=counts.expected,
    )


def _missing(values: Mapping[str, float | None]) -> tuple[str, ...]:
    return tuple(sorted(name for name, value in values.items() if value is None))


def category_of(scenario: str) -> str:
    """Return the category of a canonical scenario id: the part before the dot."""
    return scenario.partition(".")[0]


def harmful_categories(parts: Iterable[Mapping[str, Counts]]) -> set[str]:
    """Return the categories in which a target has a harmful case."""
    return {name for part in parts for name, counts in part.items() if counts.asks_harm}
