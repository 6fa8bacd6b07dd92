"""A mean rating corrected by people's ratings of cases of the same run, by verdict.

The mean of the jury's ratings of all cases, plus the mean difference between people's and the
jury's on the cases drawn at random, stratum by stratum (the difference estimator: W. G. Cochran,
"Sampling Techniques", 3rd ed. (1977) 7.4 and 5A; A. N. Angelopoulos et al., "Prediction-powered
inference", Science 382 (2023) 669-674).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

from ...metrics import student_t
from ._by_verdict import too_few
from ._estimate import Estimate

LOW, HIGH = 1.0, 5.0
"""The ends of the scale."""
MIDDLE = 3.0
"""What a case counts as that the jury did not rate, before it is corrected."""
_IMAGINED = 1.0
"""Squared difference that is added to those of a stratum: agreement on few cases proves little."""


@dataclass(frozen=True, slots=True)
class RatedStratum:
    """The cases of one verdict, and people's ratings of those that were drawn at random.

    Attributes:
        cases: Cases in all.
        total: Sum of the jury's ratings of them; `MIDDLE` for each that it did not rate.
        squares: Sum of the squares of these.
        differences: People's rating minus the jury's, for each case drawn.
        weights: How many cases each stands for; None where all stand for as many.
        informative: As many independent differences tell as much; None for all of them.
    """

    cases: int
    total: float
    squares: float
    differences: Sequence[float]
    weights: Sequence[float] | None = None
    informative: float | None = None

    @property
    def mean(self) -> float:
        """Mean difference, 0 without one."""
        if not self.differences:
            return 0.0
        return fmean(self.differences, self.weights)

    @property
    def error(self) -> float:
        """Variance of the mean difference; that of any rating without one."""
        number = len(self.differences)
        if not number:
            return ((HIGH - LOW) / 2) ** 2
        squares = sum((one - self.mean) ** 2 for one in self.differences)
        known = number if self.informative is None else self.informative
        return (squares + _IMAGINED) / number / max(1.0, known)


def rating_by_verdict(
    strata: Sequence[RatedStratum], *, independent: float | None = None
) -> Estimate:
    """Return the mean rating, from 1 to 5, corrected by ratings of cases drawn within each verdict.

    Args:
        strata: The verdicts.
        independent: As many independent cases tell as much as these; all of them unless given.
    """
    cases = sum(each.cases for each in strata)
    labels = sum(len(each.differences) for each in strata)
    known = [(each.cases, len(each.differences), len(each.differences)) for each in strata]
    if why := too_few(known):
        return Estimate.none(why, labels=labels, cases=cases)
    total = sum(each.total for each in strata)
    mean = total / cases
    spread = max(0.0, sum(each.squares for each in strata) / cases - mean * mean)
    shares = [each.cases / cases for each in strata]
    value = mean + sum(share * each.mean for share, each in zip(shares, strata, strict=True))
    variance = spread / (cases if independent is None else independent)
    variance += sum(share**2 * each.error for share, each in zip(shares, strata, strict=True))
    freedom = max(1, labels - sum(bool(each.differences) for each in strata))
    half = student_t(0.975, freedom) * sqrt(variance)
    value = max(LOW, min(HIGH, value))
    return Estimate(value, (max(LOW, value - half), min(HIGH, value + half)), labels, cases)
