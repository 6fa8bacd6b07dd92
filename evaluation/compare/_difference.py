"""The paired difference of a metric, its interval, and the least that so many queries show."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import NormalDist

from ..metrics import MCNEMAR, SIGN_TEST, Tested, mcnemar, sign_flips, student_t
from ._figures import Metric, RateDifference

POWER = 0.8
"""How often a true difference of the size `detectable` is shown."""
_EPSILON = 1e-12


@dataclass(slots=True)
class Pairs:
    """Counts queries by their values on both sides, so that memory does not grow with them.

    Attributes:
        step: By how much the values of two imagined queries differ: the least possible difference
            of one case's values.
        values: Queries by value on the first and on the second side.
        missing: Shared queries that lack a verdict on either side.
        low: Sum over shared queries of the lowest difference their missing verdicts allow.
        high: Sum of the highest.
        shared: Shared queries of which there could be a value.
    """

    step: float = 1.0
    values: Counter[tuple[float, float]] = field(default_factory=Counter[tuple[float, float]])
    missing: int = 0
    low: float = 0.0
    high: float = 0.0
    shared: int = 0

    def differences(self) -> Counter[float]:
        """Count the queries by difference."""
        found = Counter[float]()
        for (first, second), n in self.values.items():
            found[second - first] += n
        return found

    @property
    def n(self) -> int:
        """Queries with a value on both sides."""
        return self.values.total()

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The lowest and the highest difference; None where no verdict is missing."""
        if not self.missing or not self.shared:
            return None
        return self.low / self.shared, self.high / self.shared

    def merge(self, other: "Pairs") -> None:
        """Add the queries of another category."""
        self.values.update(other.values)
        self.missing += other.missing
        self.low += other.low
        self.high += other.high
        self.shared += other.shared


def difference_of(
    metric: Metric, pairs: Pairs, *, level: float, seed: int, limits: tuple[float, float]
) -> RateDifference:
    """Return the paired difference of a metric, the mean over queries.

    Args:
        metric: The metric.
        pairs: The values of its queries.
        level: Confidence level.
        seed: Of a test that draws at random.
        limits: Least and greatest possible difference.
    """
    return _figure(metric, [pairs], level=level, seed=seed, limits=limits)


def macro_difference(
    metric: Metric, parts: Sequence[Pairs], *, level: float, seed: int
) -> RateDifference:
    """Return the mean over categories of their paired differences, each weighing the same.

    Args:
        metric: The metric.
        parts: The values of each category's queries; categories without one are left out.
        level: Confidence level.
        seed: Of a test that draws at random.
    """
    return _figure(metric, parts, level=level, seed=seed, limits=(-1.0, 1.0))


def _figure(
    metric: Metric,
    parts: Sequence[Pairs],
    *,
    level: float,
    seed: int,
    limits: tuple[float, float],
) -> RateDifference:
    known = [part for part in parts if part.n]
    missing = sum(part.missing for part in parts)
    bounds = _mean_bounds(parts)
    if not known:
        return RateDifference(metric, 0, no_verdict=missing, bounds=bounds, level=level)
    weights = [1 / len(known) / part.n for part in known]
    found = [part.differences() for part in known]
    first, second = (
        sum(sum(pair[side] * n for pair, n in part.values.items()) / part.n for part in known)
        / len(known)
        for side in (0, 1)
    )
    n = sum(part.n for part in known)
    signs = Counter[int]()
    for differences in found:
        for value, queries in differences.items():
            signs[(value > _EPSILON) - (value < -_EPSILON)] += queries
    tested = _tested(found, weights, signs, seed)
    return RateDifference(
        metric,
        n,
        first,
        second,
        second - first,
        _interval(known, found, second - first, level=level, limits=limits),
        tested.p,
        tested.mid_p,
        tested.test,
        signs[-1],
        signs[1],
        _detectable(known, found, level=level, largest=limits[1]),
        missing,
        bounds,
        level=level,
    )


def _mean_bounds(parts: Sequence[Pairs]) -> tuple[float, float] | None:
    shared = [part for part in parts if part.shared]
    if not any(part.missing for part in shared):
        return None
    ends = [(part.low / part.shared, part.high / part.shared) for part in shared]
    return sum(low for low, _ in ends) / len(ends), sum(high for _, high in ends) / len(ends)


def _tested(
    found: Sequence[Mapping[float, int]],
    weights: Sequence[float],
    signs: Mapping[int, int],
    seed: int,
) -> Tested:
    sizes = {abs(value) for differences in found for value in differences if value}
    if len(found) == 1 and len(sizes) <= 1:
        test = MCNEMAR if sizes <= {1.0} else SIGN_TEST
        return mcnemar(signs.get(-1, 0), signs.get(1, 0), test)
    weighted = Counter[float]()
    for weight, differences in zip(weights, found, strict=True):
        for value, queries in differences.items():
            weighted[weight * value] += queries
    return sign_flips(weighted, seed=seed)


def _steadied(part: Pairs, found: Mapping[float, int], parts: int) -> tuple[float, float, float]:
    """Return number, mean and mean square of the differences, with two imagined queries.

    Of several categories each gets its share of the two.
    """
    imagined = 2 / parts
    n = part.n + imagined
    total = sum(value * queries for value, queries in found.items())
    squares = sum(value * value * queries for value, queries in found.items())
    return n, total / n, (squares + imagined * part.step * part.step) / n


def _interval(
    known: Sequence[Pairs],
    found: Sequence[Mapping[float, int]],
    value: float,
    *,
    level: float,
    limits: tuple[float, float],
) -> tuple[float, float] | None:
    """Return the interval of a difference, or of a mean of the differences of categories.

    A query is the unit: cases of one query, such as its epochs, are averaged first. The variance
    of the mean is that of the differences of queries, with two imagined queries, one that differs
    by a step to each side, so that no certainty is claimed where all agree. For shares of single
    cases that is the adjusted Wald interval of D. G. Bonett and R. M. Price, "Adjusted Wald
    confidence interval for a difference of binomial proportions based on paired data", J. Educ.
    Behav. Stat. 37 (2012) 479-488, which Fagerland, Lydersen and Laake (Stat. Med. 33 (2014)
    2850-2875) recommend; the share that each of several categories gets of the two is that of
    Price and Bonett (Comput. Stat. Data Anal. 45 (2004) 449-456).
    """
    queries = sum(part.n for part in known)
    if queries < 2:
        return None
    steadied = [_steadied(p, f, len(known)) for p, f in zip(known, found, strict=True)]
    center = sum(mean for _, mean, _ in steadied) / len(known)
    variance = sum((square - mean * mean) / n for n, mean, square in steadied) / len(known) ** 2
    half = _quantile(level, queries, known[0].step) * sqrt(variance)
    low, high = max(limits[0], center - half), min(limits[1], center + half)
    return min(low, value), max(high, value)


def _quantile(level: float, queries: int, step: float) -> float:
    probability = 0.5 + level / 2
    if step != 1:  # ratings: their spread is estimated, that of shares follows from the shares
        return student_t(probability, queries - 1)
    return NormalDist().inv_cdf(probability)


def _detectable(
    known: Sequence[Pairs],
    found: Sequence[Mapping[float, int]],
    *,
    level: float,
    largest: float,
) -> float | None:
    """Return the least true difference that so many queries show in 80 of 100 repeats.

    (z + z') times the standard error if there is no difference, z and z' being the quantiles of
    level and power; as a share cannot differ by more than the share of queries that differ, never
    less than (z + z')^2 / n.

    Source: R. J. Connor, "Sample size for testing differences in proportions for the paired-sample
    design", Biometrics 43 (1987) 207-211, at its first order.
    """
    normal = NormalDist()
    both = normal.inv_cdf(0.5 + level / 2) + normal.inv_cdf(POWER)
    variance, least = 0.0, 0.0
    for part, differences in zip(known, found, strict=True):
        n, _, square = _steadied(part, differences, len(known))
        variance += square / n / len(known) ** 2
        least = max(least, part.step / (len(known) * part.n))
    size = max(both * sqrt(variance), both * both * least)
    return size if size < largest else None
