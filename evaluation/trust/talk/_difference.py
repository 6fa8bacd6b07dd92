"""The difference of two shares that were measured on the same votes."""

from dataclasses import dataclass
from math import sqrt

from ...metrics import CONFIDENCE, Sums, student_t

_IMAGINED = 2
"""Queries that steady an interval: half of one that speaks for each side, and one for neither."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two shares of the same votes.

    Attributes:
        value: In [-1, 1].
        n: Votes, or verdicts.
        interval: At 95 %; None below two queries.
        queries: Different queries among them.
    """

    value: float
    n: int
    interval: tuple[float, float] | None
    queries: int = 0

    @property
    def is_shown(self) -> bool:
        """Whether the interval leaves out 0: else nothing may be said of the difference."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]

    @classmethod
    def of(cls, sums: Sums) -> "Difference | None":
        """Return the mean of differences that are -1, 0 or 1, summed by query; None without one.

        Its interval is Student's t for a ratio of sums by query (Cochran, "Sampling Techniques",
        3rd ed., 6.4), steadied as a difference of paired shares by Agresti and Min (Stat. Med. 24
        (2005) 729-740): by two imagined queries, half of one for each side, and one for neither.
        Each has the square root of the average number of votes, as the votes of a query are
        neither all one nor all independent. So there is a width where all votes agree, and a
        handful of queries shows nothing: it takes six or seven that all speak for one side, as in
        an exact sign test at 5 %. In simulations with 10 to 200 queries of 4 votes,
        changes of 2 to 30 % and correlations up to 0.3, it covered about 93 to 100 %.
        """
        if not sums.n:
            return None
        return cls(sums.total / sums.n, sums.n, _interval(sums), sums.queries)


def _interval(sums: Sums) -> tuple[float, float] | None:
    if sums.queries < 2:
        return None
    size = sqrt(sums.n / sums.queries)
    n = sums.n + _IMAGINED * size
    center = sums.total / n
    imagined = size * size * (1 + _IMAGINED * center * center)
    variance = (sums.spread(center) + imagined) * sums.queries / (sums.queries - 1)
    half = student_t(0.5 + CONFIDENCE / 2, sums.queries - 1) * sqrt(variance) / n
    return max(-1.0, center - half), min(1.0, center + half)
