"""Tests whether paired values differ, from counts of their differences.

Nothing but the standard library is needed, so that a gate runs anywhere.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import comb, exp, lgamma, log

MCNEMAR, SIGN_TEST = "McNemar, exact", "sign test, exact"
DRAWS = 20_000
"""Random sign patterns, where there are too many to go through all."""
_NEAR = 1e-9
_MOST_COMB = 1000
"""Throws whose chances are added up as whole numbers: beyond that it takes long."""


@dataclass(frozen=True, slots=True)
class Tested:
    """A two-sided p.

    Attributes:
        p: In [0, 1].
        mid_p: The same with half the weight of what was observed.
        test: Name of the test.
    """

    p: float
    mid_p: float
    test: str


def mcnemar(first: int, second: int, test: str = MCNEMAR) -> Tested:
    """Test whether as many pairs speak for one side as for the other.

    The exact conditional test: if the sides are alike, each pair that differs speaks for either
    with probability 1/2. Its p is never too small; the mid-p is less careful and rarely too small.

    Source: Q. McNemar, "Note on the sampling error of the difference between correlated
    proportions or percentages", Psychometrika 12 (1947) 153-157; of the mid-p M. W. Fagerland,
    S. Lydersen and P. Laake, "The McNemar test for binary matched-pairs data: mid-p and
    asymptotic are better than exact conditional", BMC Med. Res. Methodol. 13 (2013) 91.

    Args:
        first: Pairs that speak for the first side.
        second: Pairs that speak for the second side.
        test: Its name: of values that are no findings it is the sign test.
    """
    n, low = first + second, min(first, second)
    below, at = _tail(n, low)
    if 2 * low == n:
        return Tested(1.0, 1.0 - at / 2 if n else 1.0, test)
    return Tested(min(1.0, 2 * (below + at)), min(1.0, 2 * below + at), test)


def _tail(n: int, low: int) -> tuple[float, float]:
    """Return the chances of less than `low` heads in `n` throws of a coin, and of just as many."""
    if n <= _MOST_COMB:
        return sum(comb(n, k) for k in range(low)) / 2**n, comb(n, low) / 2**n
    chances = (
        exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2)) for k in range(low + 1)
    )
    *below, at = chances
    return sum(below), at


def sign_flips(differences: Mapping[float, int], *, seed: int) -> Tested:
    """Test whether a sum of differences could be that of sides that are alike.

    If they are, each query's difference has either sign with probability 1/2. All patterns of
    signs are gone through where they are few, else so many are drawn at random; then the observed
    one counts as drawn (B. Phipson and G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010) 39), so
    that p is never 0. Where all differences have one size, this is McNemar's exact test.

    Source: R. A. Fisher, "The Design of Experiments" (1935) 21.

    Args:
        differences: How many queries have each difference; those of 0 do not matter.
        seed: Of the draws.
    """
    sizes: dict[float, int] = {}
    for value, count in differences.items():
        if abs(value) > _NEAR:
            sizes[abs(value)] = sizes.get(abs(value), 0) + count
    observed = abs(sum(value * count for value, count in differences.items()))
    n = sum(sizes.values())
    exhaustive = 2**n <= DRAWS
    sums = _all_sums(sizes) if exhaustive else _drawn_sums(sizes, seed)
    near = _NEAR * (1 + observed)
    above = equal = total = 0
    for value in sums:
        total += 1
        equal += abs(abs(value) - observed) <= near
        above += abs(value) > observed + near
    if exhaustive:
        return Tested((above + equal) / total, (above + equal / 2) / total, "sign flips, exact")
    test = f"sign flips, {DRAWS:,} drawn"
    p, mid_p = (above + equal + 1) / (total + 1), (above + (equal + 1) / 2) / (total + 1)
    return Tested(p, mid_p, test)


def _all_sums(sizes: Mapping[float, int]) -> Iterator[float]:
    each = [size for size, count in sizes.items() for _ in range(count)]
    for signs in product((1, -1), repeat=len(each)):
        yield sum(sign * size for sign, size in zip(signs, each, strict=True))


def _drawn_sums(sizes: Mapping[float, int], seed: int) -> Iterator[float]:
    drawn = random.Random(seed)
    parts = sorted(sizes.items())
    for _ in range(DRAWS):
        # The ones among so many random bits are the positive signs among so many queries.
        yield sum(size * (2 * drawn.getrandbits(n).bit_count() - n) for size, n in parts)


def holm(values: Sequence[float]) -> list[float]:
    """Return p values corrected for their number, so that any false one is as rare as one alone.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6
    (1979) 65-70.
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, highest = [0.0] * len(values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = highest
    return adjusted
