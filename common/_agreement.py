"""Krippendorff's alpha: agreement among raters of the same items."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Literal

Scale = Literal["nominal", "ordinal"]


class Coincidences:
    """Counts how often two ratings were given to the same item, for Krippendorff's alpha.

    It takes as many counters as there are pairs of different ratings, however many things
    are rated.
    """

    def __init__(self) -> None:
        self._given: Counter[int] = Counter()
        self._weights: dict[tuple[int, int], float] = {}

    def add(self, ratings: Mapping[int, int], times: int = 1) -> None:
        """Count items with the same ratings; items with fewer than two ratings are ignored.

        Args:
            ratings: How often each rating was given to the thing.
            times: How many things have these ratings.
        """
        given = {rating: count for rating, count in ratings.items() if count}
        raters = sum(given.values())
        if raters < 2:
            return
        for rating, count in given.items():
            self._given[rating] += count * times
        for low, high in combinations(sorted(given), 2):
            weight = times * given[low] * given[high] / (raters - 1)
            self._weights[low, high] = self._weights.get((low, high), 0.0) + weight

    def alpha(self, scale: Scale) -> float | None:
        """Return Krippendorff's alpha, at most 1.

        1 is perfect, 0 is what chance would give, below 0 is less than chance. With `given`
        the pairable ratings by value, n their sum and o the pairs on the same thing:
        alpha = 1 - (n - 1) Σ o(c, k) d(c, k) / Σ n(c) n(k) d(c, k) over c < k. The difference
        d is 1 on the nominal scale; on the ordinal one it is the square of the ratings from c
        to k, those at both ends counted half. Source: K. Krippendorff, "Computing
        Krippendorff's alpha-reliability" (2011).

        Returns:
            None if no item has two ratings, or if all ratings are the same: then
            agreement cannot be told from habit.
        """
        differences = self._differences(scale)
        expected = sum(
            self._given[low] * self._given[high] * apart
            for (low, high), apart in differences.items()
        )
        if not expected:
            return None
        observed = sum(weight * differences[pair] for pair, weight in sorted(self._weights.items()))
        return 1 - (self._given.total() - 1) * observed / expected

    def _differences(self, scale: Scale) -> dict[tuple[int, int], float]:
        pairs = combinations(sorted(self._given), 2)
        if scale == "nominal":
            return dict.fromkeys(pairs, 1.0)
        below: dict[int, float] = {}
        passed = 0
        for rating in sorted(self._given):
            below[rating] = passed + self._given[rating] / 2
            passed += self._given[rating]
        return {(low, high): (below[high] - below[low]) ** 2 for low, high in pairs}


def krippendorff_alpha(things: Iterable[Sequence[int]], scale: Scale) -> float | None:
    """Return Krippendorff's alpha of items, each a sequence of ratings; see `Coincidences`."""
    coincidences = Coincidences()
    for ratings in things:
        coincidences.add(Counter(ratings))
    return coincidences.alpha(scale)
