"""A rate corrected by labels of the same run, by verdict.

In each stratum of the verdict (unsafe, safe, no verdict) some cases were drawn at random and
labeled. The share of unsafe ones among them has a Beta posterior with Jeffreys' prior, and how
many of the stratum's other cases are unsafe is predicted in whole numbers (beta-binomial). The
labeled and the predicted ones over all cases are the rate of this run. As all intervals of a
report do, this one treats the queries as drawn from many: the square root of a rate has the same
variance whatever the rate, on the scale of an angle (Anscombe), which is added last.

Sources: L. D. Brown, T. T. Cai and A. DasGupta, "Interval estimation for a binomial proportion",
Stat. Sci. 16 (2001) 101-133; D. Holt and T. M. F. Smith, "Post stratification", JRSS A 142 (1979)
33-46; F. J. Anscombe, "The transformation of Poisson, binomial and negative-binomial data",
Biometrika 35 (1948) 246-254.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import asin, pi, sin, sqrt

from ....common.text import many
from ._draws import DRAWS, beta_binomial_quantiles, middle_95, normal_quantiles, shuffled
from ._estimate import LEAST_LABELS, Estimate

LEAST_IN_STRATUM = 5
"""Labels below which a stratum is not judged by its labels alone."""
SMALL = 0.05
"""Largest share of the cases that a stratum with fewer labels may hold."""
_JEFFREYS = 0.5
_ANSCOMBE = 3 / 8


@dataclass(frozen=True, slots=True)
class Stratum:
    """The cases of one verdict, and the labels of those that were drawn at random.

    Attributes:
        cases: Cases in all.
        labeled: Those drawn at random and labeled.
        unsafe: Those of them labeled unsafe.
        share: Expected share of unsafe ones among the cases not drawn; None for the share among
            those drawn. Another one where some were more likely to be drawn.
        informative: As many independent labels tell as much; None for `labeled`. Fewer where
            queries are repeated, or some cases were more likely to be drawn.
        picked_unsafe: Cases labeled unsafe that were picked for what they are, not at random.
        picked_safe: Those labeled safe.
    """

    cases: int
    labeled: int
    unsafe: int
    share: float | None = None
    informative: float | None = None
    picked_unsafe: int = 0
    picked_safe: int = 0

    @property
    def rest(self) -> int:
        """Cases that were not drawn at random."""
        return self.cases - self.labeled

    @property
    def known(self) -> int:
        """Cases with a label, whether drawn at random or picked."""
        return self.labeled + self.picked_unsafe + self.picked_safe

    @property
    def counts(self) -> tuple[float, float]:
        """Unsafe and safe labels, as many as are informative."""
        labels = self.labeled if self.informative is None else self.informative
        share = self.share
        if share is None:
            share = self.unsafe / self.labeled if self.labeled else 0.0
        return share * labels, (1 - share) * labels

    def within(self, unsafe: float) -> float:
        """Return a number of unsafe ones among the rest as far as the picked ones allow it."""
        return max(self.picked_unsafe, min(self.rest - self.picked_safe, unsafe))

    def expected(self) -> float:
        """Return how many of all cases are unsafe: those drawn, and the same share of the rest.

        Without a label half of them are, which says that nothing is known.
        """
        hits, misses = self.counts
        share = hits / (hits + misses) if hits + misses else 0.5
        return self.unsafe + self.within(self.rest * share)

    def draws(self, number: int) -> list[int]:
        """Return how many of all cases are unsafe, in equally likely numbers."""
        hits, misses = self.counts
        informative = hits + misses
        # Repeats of a query that end alike are predicted together.
        size = max(1.0, self.labeled / informative) if informative else 1.0
        blocks = max(1, round(self.rest / size)) if self.rest else 0
        found = beta_binomial_quantiles(blocks, hits + _JEFFREYS, misses + _JEFFREYS, number)
        scale = self.rest / blocks if blocks else 0.0
        return [self.unsafe + round(self.within(one * scale)) for one in found]


def rate_by_verdict(
    strata: Sequence[Stratum], *, independent: float | None = None, draws: int = DRAWS
) -> Estimate:
    """Return the rate of unsafe cases, corrected by labels of cases drawn within each verdict.

    Its interval is never a point. It includes 0 where no labeled case is unsafe, and 1 where none
    is safe.

    Args:
        strata: The verdicts.
        independent: As many independent cases tell as much as these: fewer where queries are
            repeated; all of them unless given.
        draws: How many draws stand for a posterior.
    """
    cases = sum(each.cases for each in strata)
    labels = sum(each.known for each in strata)
    if why := too_few([(each.cases, each.labeled, each.known) for each in strata]):
        return Estimate.none(why, labels=labels, cases=cases)
    value = sum(each.expected() for each in strata) / cases
    drawn = {
        role: shuffled(each.draws(draws), role) for role, each in enumerate(strata, 1) if each.cases
    }
    low, high = _interval(strata, drawn, float(cases) if independent is None else independent)
    return Estimate(value, (min(low, value), max(high, value)), labels, cases)


def too_few(strata: Sequence[tuple[int, int, int]]) -> str:
    """Return why the labels are too few, empty where they are not.

    Args:
        strata: For each verdict the cases, those drawn at random and labeled, and those labeled
            at all.
    """
    cases, labels = sum(row[0] for row in strata), sum(row[2] for row in strata)
    if not cases:
        return "no case has anything to judge"
    if labels < min(LEAST_LABELS, cases):
        return f"{many(labels, 'label')}, and {LEAST_LABELS} are needed"
    for number, drawn, known in strata:
        if drawn < LEAST_IN_STRATUM and known < number and number > SMALL * cases:
            return (
                f"{many(drawn, 'label')} drawn at random from the {many(number, 'case')} of one "
                f"verdict, and {min(LEAST_IN_STRATUM, number)} are needed"
            )
    return ""


def _interval(
    strata: Sequence[Stratum], drawn: Mapping[int, Sequence[int]], independent: float
) -> tuple[float, float]:
    """Return the ends of the interval.

    Of a stratum in which no label is unsafe, it is the prior alone that says that others are: the
    lower end is midway between those with and without what is predicted there (Brown, Cai and
    DasGupta leave it out of one share, and coverage suffers from either). So is the upper one
    where all labels are unsafe.
    """
    cases = sum(each.cases for each in strata)
    least, most = dict(drawn), dict(drawn)
    for role, each in enumerate(strata, 1):
        if role in drawn and not each.unsafe:
            least[role] = [each.picked_unsafe] * len(drawn[role])
        if role in drawn and each.unsafe == each.labeled:
            most[role] = [each.cases - each.picked_safe] * len(drawn[role])
    low, high = _spread(drawn, cases, independent)
    if least != drawn:
        low = (low + _spread(least, cases, independent)[0]) / 2
    if most != drawn:
        high = (high + _spread(most, cases, independent)[1]) / 2
    if not any(each.unsafe or each.picked_unsafe for each in strata):
        low = 0.0
    if not any(each.labeled - each.unsafe or each.picked_safe for each in strata):
        high = 1.0
    return low, high


def _spread(
    drawn: Mapping[int, Sequence[int]], cases: int, independent: float
) -> tuple[float, float]:
    """Return the ends of the rates that numbers of unsafe cases make, as of a draw of queries."""
    totals = [sum(row) for row in zip(*drawn.values(), strict=True)]
    step = 1 / (2 * sqrt(independent))
    scale = independent / cases
    steadied = independent + 2 * _ANSCOMBE
    noise = shuffled(normal_quantiles(len(totals)), 0)
    low, high = middle_95(
        [
            asin(sqrt((total * scale + _ANSCOMBE) / steadied)) + step * z
            for total, z in zip(totals, noise, strict=True)
        ]
    )
    return sin(max(0.0, low)) ** 2, sin(min(pi / 2, high)) ** 2
