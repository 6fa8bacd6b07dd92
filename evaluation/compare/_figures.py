"""The figures of a comparison, as plain data; the names of the fields are the keys of the JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ...deliberation import as_html, as_text

if TYPE_CHECKING:
    from rich.console import Console

Metric = Literal[
    "asr",
    "asr_macro",
    "sri",
    "over_refusal",
    "benign_unsafe",
    "contested",
    "coverage",
]
"""A figure that is compared. The safety index runs from 20 to 100, all others from 0 to 1."""
METRICS: tuple[Metric, ...] = (
    "asr",
    "asr_macro",
    "sri",
    "over_refusal",
    "benign_unsafe",
    "contested",
    "coverage",
)
"""All of them, in the order in which they are shown."""
HIGHER_IS_SAFER: Mapping[Metric, bool] = {
    "asr": False,
    "asr_macro": False,
    "sri": True,
    "benign_unsafe": False,
}
"""The metrics that speak of safety, and whether more of them is safer."""
TOGETHER, ATTACKED = "all together", "attacked"
"""Names of all attacks together, and of an attack that nothing names."""


@dataclass(frozen=True, slots=True)
class RateDifference:
    """The paired difference of one metric over the queries that both sides have a value of.

    Each query counts once: its value on a side is the mean over its epochs there.

    Attributes:
        metric: Which one.
        n: Shared queries with a value on both sides.
        first: Mean over them of the first side; None without one.
        second: Mean of the second side.
        difference: `second` less `first`.
        interval: Its interval at the level of the comparison; None below two queries.
        p: Two-sided p of the exact test, in [0, 1]; None without a query.
        mid_p: The same with half the weight of what was observed, which is less careful.
        test: Name of the test.
        higher_first: Those of the `n` queries whose value is higher on the first side.
        higher_second: Those whose value is higher on the second side.
        detectable: Least true difference that so many queries would show in 80 of 100 repeats,
            if as many of them differ as here; None where even the largest would not be shown.
        no_verdict: Shared queries that lack a verdict that the metric needs, on either side; those
            without any on a side are not among the `n`.
        bounds: Lowest and highest difference if these verdicts had come out either way; None where
            none is lacking, or the metric needs none.
        adjusted_p: `p` corrected for as many comparisons as there are categories (Holm); None for
            what is not of one category.
        level: Confidence level of the interval.
    """

    metric: Metric
    n: int
    first: float | None = None
    second: float | None = None
    difference: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    mid_p: float | None = None
    test: str = ""
    higher_first: int = 0
    higher_second: int = 0
    detectable: float | None = None
    no_verdict: int = 0
    bounds: tuple[float, float] | None = None
    adjusted_p: float | None = None
    level: float = 0.95

    @property
    def is_shown(self) -> bool:
        """Whether the data show a difference: both the interval and the exact test say so."""
        return self.excludes_zero and self._is_rejected

    @property
    def is_unsettled(self) -> bool:
        """Whether interval and exact test do not agree that there is a difference."""
        return self.excludes_zero != self._is_rejected

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]

    @property
    def _is_rejected(self) -> bool:
        p = self.p if self.adjusted_p is None else self.adjusted_p
        return p is not None and p <= 1 - self.level + 1e-12

    @property
    def safer(self) -> Literal["first", "second"] | None:
        """The side that is shown to be safer by this metric; None where neither is."""
        if not self.is_shown or self.difference is None or self.metric not in HIGHER_IS_SAFER:
            return None
        return "second" if (self.difference > 0) == HIGHER_IS_SAFER[self.metric] else "first"


@dataclass(frozen=True, slots=True)
class Side:
    """What stands on one side of a comparison: a target under a condition, in a run.

    Attributes:
        run: The run's directory.
        target: The target's name.
        condition: Name of the condition, empty for none.
        cases: Its finished cases.
        planned: Cases that it will have when the run is finished; None where that is not known.
        record: SHA-256 of the run's record.
        attack: Of attacked queries, the attack or the condition; empty elsewhere.
    """

    run: str
    target: str
    condition: str = ""
    cases: int = 0
    planned: int | None = None
    record: str = ""
    attack: str = ""

    @property
    def is_unfinished(self) -> bool:
        """Whether some of its planned cases are not finished."""
        return self.planned is not None and self.cases < self.planned


@dataclass(frozen=True, slots=True)
class Changes:
    """Shared queries by how their verdicts differ, of harmful and benign queries alike.

    A query of several epochs became safe where a smaller share of its verdicts is unsafe.

    Attributes:
        to_safe: Unsafe on the first side, safe on the second.
        to_unsafe: Safe on the first side, unsafe on the second.
        verdict_lost: With a verdict on the first side alone.
        verdict_gained: With a verdict on the second side alone.
        same: With the same verdicts on both sides.
        no_verdict: Without a verdict on both.
    """

    to_safe: int = 0
    to_unsafe: int = 0
    verdict_lost: int = 0
    verdict_gained: int = 0
    same: int = 0
    no_verdict: int = 0


@dataclass(frozen=True, slots=True)
class PairedTargets:
    """Two sides, compared over the queries that they share.

    Attributes:
        first: One side.
        second: The other; differences are this one less the first.
        shared: Queries that both sides have finished cases of.
        only_first: Queries of the first side alone, which are in no figure here.
        only_second: Queries of the second side alone.
        different: Queries of the same id that ask something else, left out; above 0 only where
            that was forced.
        repeats: Most cases of a shared query on either side, which are averaged.
        rates: By metric; a metric that nothing was measured of has an `n` of 0.
        categories: By category, then by metric; there is no `asr_macro` in them.
        changes: How the verdicts differ.
    """

    first: Side
    second: Side
    shared: int
    only_first: int
    only_second: int
    rates: Mapping[Metric, RateDifference]
    categories: Mapping[str, Mapping[Metric, RateDifference]]
    changes: Changes
    different: int = 0
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class ChangedQuery:
    """A shared query whose verdicts differ.

    Attributes:
        change: `to_safe`, `to_unsafe`, `verdict_lost` or `verdict_gained`; see `Changes`.
        query_id: Its id.
        category: Its category.
        intent: `harmful` or `benign`.
        finding_first: What was found on the first side: `unsafe`, `safe` or `no_verdict`; of
            several epochs how many are unsafe, such as `2 of 3 unsafe`.
        finding_second: The same on the second side.
        case_first: Id of a case of the first side that shows it.
        case_second: Id of a case of the second side.
        target_first: The target on the first side.
        target_second: The target on the second side.
        condition_first: Condition on the first side, empty for none.
        condition_second: Condition on the second side.
        attack: Of an attacked query, the attack or the condition; empty elsewhere.
    """

    change: str
    query_id: str
    category: str
    intent: str
    finding_first: str
    finding_second: str
    case_first: str
    case_second: str
    target_first: str
    target_second: str
    condition_first: str = ""
    condition_second: str = ""
    attack: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs, or two parts of one, compared target by target.

    Attributes:
        pairs: The pairs of targets.
        forced: What would have refused the comparison if it had not been forced, a sentence each.
        notes: What else a reader must know, a sentence each.
        level: Confidence level of the intervals.
        seed: Seed of the tests that draw at random.
        cases: The queries whose verdicts differ, where they were asked for.
    """

    pairs: tuple[PairedTargets, ...]
    forced: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    level: float = 0.95
    seed: int = 0
    cases: tuple[ChangedQuery, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return as_text(self._write)

    def _repr_html_(self) -> str:
        return as_html(self._write)

    def _write(self, console: "Console") -> None:
        from ._table import comparison_table  # which writes this

        comparison_table(self, console)
