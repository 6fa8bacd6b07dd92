"""Rates and means with their 95 % confidence intervals.

All intervals are two-sided at 95 % and treat queries as independent draws. Cases of
one query, such as its epochs, are not: they are summed by query first, and a query
whose cases all end alike counts as one case.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import pi, sqrt, tan
from statistics import NormalDist, fmean

CONFIDENCE = 0.95
"""Share of intervals that cover the true value in the long run."""
_ALIKE = 0.5
"""Weight of each of the two imagined queries that steady a design effect."""


@dataclass(slots=True)
class Sums:
    """Sums from which a share or a mean of clustered cases and its interval follow.

    Attributes:
        n: Cases.
        total: Sum of the cases' values; of a share, how many cases have what it counts.
        queries: Different queries among the cases.
        squared_sizes: Sum over queries of the square of their number of cases.
        products: Sum over queries of number of cases times sum of values.
        squared_totals: Sum over queries of the square of their sum of values.
    """

    n: int = 0
    total: float = 0.0
    queries: int = 0
    squared_sizes: int = 0
    products: float = 0.0
    squared_totals: float = 0.0

    def add(self, n: int, total: float, queries: int = 1) -> None:
        """Add all cases of a query, or of several that are alike.

        Args:
            n: Number of cases of each query, at least 1.
            total: Sum of their values.
            queries: Number of queries.
        """
        self.n += queries * n
        self.total += queries * total
        self.queries += queries
        self.squared_sizes += queries * n * n
        self.products += queries * n * total
        self.squared_totals += queries * total * total

    def merge(self, other: "Sums") -> None:
        """Add the cases of other queries."""
        self.n += other.n
        self.total += other.total
        self.queries += other.queries
        self.squared_sizes += other.squared_sizes
        self.products += other.products
        self.squared_totals += other.squared_totals

    @property
    def mean(self) -> float | None:
        """The mean of the values, or the share; None without a case."""
        return self.total / self.n if self.n else None

    def spread(self, around: float) -> float:
        """Return the sum over queries of (sum of values - cases x `around`) squared."""
        return (
            self.squared_totals - 2 * around * self.products + around * around * self.squared_sizes
        )

    def effective(self) -> float:
        """Return the effective sample size of a share: as many independent cases tell as much.

        The number of cases over their design effect, the ratio of the share's variance
        by queries to that of independent cases. It is `n` where each query has one case,
        the number of queries where all cases of a query end alike and queries have
        equally many, and between `n` and n² / `squared_sizes` always.

        A design effect that is estimated from few queries or rare outcomes comes out too
        small by chance (Franco et al. 2019). It is steadied by two imagined queries of
        average size and half the weight of a real one, one all of hits and one of none:
        repeats count as dependent until enough queries show that they are not.

        Sources: Kish, "Survey Sampling" (1965) 8.2; C. Franco, R. Little, T. Louis and
        E. Slud, "Comparative study of confidence intervals for proportions in complex
        sample surveys", J. Surv. Stat. Methodol. 7 (2019) 334-364.
        """
        if self.queries == self.n:
            return self.n
        size = self.n / self.queries
        n = self.n + 2 * _ALIKE * size
        share = (self.total + _ALIKE * size) / n
        imagined = _ALIKE * size * size * ((1 - share) ** 2 + share**2)
        design_effect = (self.spread(share) + imagined) / (n * share * (1 - share))
        least = self.n * self.n / self.squared_sizes
        return min(float(self.n), max(least, self.n / design_effect))


@dataclass(slots=True)
class QuerySums:
    """Sums values of cases by query; the cases of a query come one after the other."""

    _sums: Sums = field(default_factory=Sums)
    _query: str | None = None
    _n: int = 0
    _total: int = 0

    def add(self, query: str, value: int) -> None:
        """Add a case of a query."""
        if query != self._query:
            self.sums()
            self._query = query
        self._n += 1
        self._total += value

    def sums(self) -> Sums:
        """Return the sums; no more cases of the latest query may come."""
        if self._n:
            self._sums.add(self._n, self._total)
        self._n = self._total = 0
        return self._sums


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of cases.

    Attributes:
        value: In [0, 1]; None without a case.
        n: Cases in the denominator.
        interval: Wilson interval (low, high) around `value`; None with it.
        queries: Different queries among the `n` cases; below `n`, the interval is that
            of as many independent cases as tell as much.
        count: Those of the `n` cases that have what the rate counts.
    """

    value: float | None
    n: int
    interval: tuple[float, float] | None
    queries: int = 0
    count: int = 0

    @classmethod
    def of(cls, count: int, n: int) -> "Rate":
        """Return the rate of `count` cases in `n`, one case a query."""
        if n == 0:
            return cls(None, 0, None)
        return cls(count / n, n, wilson_interval(count / n, n), n, count)

    @classmethod
    def over(cls, sums: Sums) -> "Rate":
        """Return the rate of cases that were summed by query; its value is None without a case."""
        share, interval = sums.mean, share_interval(sums)
        return cls(share, sums.n, interval, sums.queries, int(sums.total))


def wilson_interval(share: float, n: float) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a proportion.

    With p the share and z = 1.96, the ends are
    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n). It lies within [0, 1],
    holds the share, and does not shrink to a point where the share is 0 or 1.

    Source: E. B. Wilson, "Probable inference, the law of succession, and
    statistical inference", JASA 22 (1927) 209-212.

    Args:
        share: In [0, 1].
        n: Observations, at least 1; the effective number need not be whole.

    Raises:
        ValueError: `share` or `n` is outside its range.
    """
    if n < 1 or not 0 <= share <= 1:
        raise ValueError(f"no interval for a share of {share!r} in {n!r}: use [0, 1] and n >= 1")
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    shrink = 1 + z * z / n
    center = (share + z * z / (2 * n)) / shrink
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / shrink
    # Rounding may leave an end a hair on the wrong side of the share or of [0, 1].
    return max(0.0, min(share, center - half)), min(1.0, max(share, center + half))


def share_interval(sums: Sums) -> tuple[float, float] | None:
    """Return the 95 % interval of a share: Wilson's, at the effective number of cases."""
    return None if sums.mean is None else wilson_interval(sums.mean, sums.effective())


def macro_share_interval(parts: Sequence[Sums]) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean of several groups' shares.

    Wilson's, at the number of independent cases whose share would vary as much as the
    mean does. Each group's variance is p(1-p)/n at its effective number of cases, with
    one hit and one miss added to p, so that a group with none or all claims no certainty.
    Of one group it is the interval of its share.

    Sources: X. Yan and X. G. Su, "Stratified Wilson and Newcombe confidence intervals
    for multiple binomial proportions", Stat. Biopharm. Res. 2 (2010) 329-335; for what
    is added, R. M. Price and D. G. Bonett, "An improved confidence interval for a linear
    function of binomial proportions", Comput. Stat. Data Anal. 45 (2004) 449-456.

    Args:
        parts: The groups; those without a case are left out.
    """
    known = [(part.mean, part.effective()) for part in parts if part.mean is not None]
    if not known:
        return None
    steadied = [((share * n + 1) / (n + 2), n) for share, n in known]
    center = fmean(share for share, _ in steadied)
    variance = sum(share * (1 - share) / n for share, n in steadied) / len(known) ** 2
    shares = fmean(share for share, _ in known)
    return wilson_interval(min(1.0, shares), max(1.0, center * (1 - center) / variance))


def mean_interval(sums: Sums, *, low: float, high: float) -> tuple[float, float] | None:
    """Return the 95 % interval of a mean of values between `low` and `high`.

    Student's t with one degree of freedom less than there are queries, and the variance
    of a mean of sums by query (the ratio estimator of cluster sampling); where each query
    has one case that is mean ± t(n-1) · s/√n. It is clipped to the range. Where
    all queries have the same mean, no variance would claim certainty; the Wilson interval
    of the mean's place in the range is used instead. It is on the wide side, because
    values in [0, 1] with mean m have a variance of at most m(1-m).

    Source: W. G. Cochran, "Sampling Techniques", 3rd ed. (1977) 9A.

    Args:
        sums: The values, by query; below 2 queries there is no interval.
        low: Least possible value.
        high: Greatest possible value.
    """
    queries, mean = sums.queries, sums.mean
    if mean is None or queries < 2:
        return None
    variance = sums.spread(mean) / (queries - 1)
    if variance <= 1e-12 * sums.squared_totals / queries:
        place = min(1.0, max(0.0, (mean - low) / (high - low)))
        ends = wilson_interval(place, queries)
        return low + (high - low) * ends[0], low + (high - low) * ends[1]
    half = student_t(0.5 + CONFIDENCE / 2, queries - 1) * sqrt(variance * queries) / sums.n
    return max(low, mean - half), min(high, mean + half)


def macro_mean_interval(
    parts: Sequence[Sums], *, low: float, high: float
) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean of several groups' means.

    The distances from each group's mean to the ends of its interval are squared and added.

    Source: G. Y. Zou and A. Donner, "Construction of confidence limits about effect
    measures: a general approach", Stat. Med. 27 (2008) 1693-1702.

    Args:
        parts: The groups; those without a value are left out. Where one of the others
            has a single query, there is no interval.
        low: Least possible value.
        high: Greatest possible value.
    """
    known = [(part.mean, mean_interval(part, low=low, high=high)) for part in parts if part.n]
    below = above = 0.0
    for mean, ends in known:
        if mean is None or ends is None:
            return None
        below += (mean - ends[0]) ** 2
        above += (ends[1] - mean) ** 2
    if not known:
        return None
    center = fmean(mean for mean, _ in known if mean is not None)
    return (
        max(low, center - sqrt(below) / len(known)),
        min(high, center + sqrt(above) / len(known)),
    )


def student_t(probability: float, freedom: int) -> float:
    """Return a quantile of Student's t.

    Exact for 1 and 2 degrees of freedom, else the Cornish-Fisher expansion
    (Abramowitz and Stegun 26.7.5), within 0.2 % at the 97.5 % point.

    Args:
        probability: In (0, 1).
        freedom: Degrees of freedom, at least 1.
    """
    if freedom == 1:
        return tan(pi * (probability - 0.5))
    if freedom == 2:
        return (2 * probability - 1) * sqrt(1 / (2 * probability * (1 - probability)))
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))
