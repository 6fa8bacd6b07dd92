"""Rates, and how far chance alone could have moved them.

All intervals are two-sided at 95 % and treat cases as independent draws. Cases
of one query in several epochs are not: intervals over epochs are too narrow.
"""

from dataclasses import dataclass
from math import pi, sqrt, tan
from statistics import NormalDist

CONFIDENCE = 0.95
"""Share of intervals that cover the true value in the long run."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of cases.

    Attributes:
        value: In [0, 1]; None where there is not one case to tell from.
        n: Cases in the denominator.
        interval: Wilson interval (low, high) around `value`; None with it.
    """

    value: float | None
    n: int
    interval: tuple[float, float] | None

    @classmethod
    def of(cls, count: int, n: int) -> "Rate":
        """Return the rate of `count` cases in `n`, null where `n` is 0."""
        if n == 0:
            return cls(None, 0, None)
        return cls(count / n, n, wilson_interval(count / n, n))


def wilson_interval(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a proportion.

    With p the share and z = 1.96, the ends are
    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n). It lies within [0, 1],
    holds the share, and does not shrink to a point where the share is 0 or 1.

    Source: E. B. Wilson, "Probable inference, the law of succession, and
    statistical inference", JASA 22 (1927) 209-212.

    Args:
        share: In [0, 1].
        n: Observations, at least 1.

    Raises:
        ValueError: `share` or `n` is outside its range.
    """
    if n < 1 or not 0 <= share <= 1:
        raise ValueError(f"no interval for a share of {share!r} in {n!r}: use [0, 1] and n >= 1")
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    shrink = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / shrink
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / shrink
    # Rounding may leave an end a hair on the wrong side of the share or of [0, 1].
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


def mean_interval(
    total: float, squares: float, n: int, *, low: float, high: float
) -> tuple[float, float] | None:
    """Return the 95 % interval of a mean of values between `low` and `high`.

    Student's t: mean ± t(n-1) · s/√n, clipped to the range. Where all values are
    equal, s = 0 would claim certainty; the Wilson interval of the mean's place in
    the range is used instead. It is on the wide side, because values in [0, 1]
    with mean m have a variance of at most m(1-m).

    Args:
        total: Sum of the values.
        squares: Sum of their squares.
        n: Number of values; below 2 there is no interval.
        low: Least possible value.
        high: Greatest possible value.
    """
    if n < 2:
        return None
    mean = total / n
    variance = (squares - total * mean) / (n - 1)
    if variance <= 1e-12 * squares / n:
        place = min(1.0, max(0.0, (mean - low) / (high - low)))
        ends = wilson_interval(place, n)
        return low + (high - low) * ends[0], low + (high - low) * ends[1]
    half = student_t(0.5 + CONFIDENCE / 2, n - 1) * sqrt(variance / n)
    return max(low, mean - half), min(high, mean + half)


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
