"""Check what `safejury compare` claims: `python benchmarks/paired_differences.py [--draws N]`.

Queries of known rates are drawn again and again: how hard a query is, both sides share, and its
epochs are alike within a side. Counted is how often the interval covers the true difference, how
often a difference is shown where there is none (the size of the decision: interval and exact test
together) and where there is one of the size that was called detectable (its power). The percentile
bootstrap of queries stands beside it.
"""

import argparse
import random
from collections import Counter
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np

from safejury.evaluation.compare import Pairs, RateDifference, difference_of, macro_difference

SHARED, OWN = 0.6, 0.25
"""Of the variance of a query's difficulty: what both sides share, and what is of a side."""
RESAMPLES = 300


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of run."""

    n: int
    epochs: int
    first: float
    second: float


CELLS = tuple(
    Cell(n, epochs, *rates)
    for n in (10, 30, 100, 300)
    for epochs in (1, 3)
    for rates in ((0.02, 0.02), (0.1, 0.1), (0.3, 0.3), (0.05, 0.15), (0.2, 0.4))
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    draws = parser.parse_args().draws
    print("| n | epochs | A | B | covers | bootstrap covers | shown |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for cell in CELLS:
        covers, bootstrap, shown = _measured(cell, draws)
        print(
            f"| {cell.n} | {cell.epochs} | {cell.first:.0%} | {cell.second:.0%} | {covers:.1%} "
            f"| {bootstrap:.1%} | {shown:.1%} |",
            flush=True,
        )
    print("\nMacro average over 8 categories, one case a query:")
    for n in (3, 10, 40):
        print(f"- {n} queries a category: covers {_macro(n, draws):.1%}")
    print("\nPower at the difference that was called detectable, from a rate of 30 %:")
    for n in (50, 100, 300, 1000):
        print(f"- n {n}: {_power(n, draws):.1%}")


def _measured(cell: Cell, draws: int) -> tuple[float, float, float]:
    drawn, chance = random.Random(1), np.random.default_rng(1)
    covered = by_bootstrap = shown = 0
    true = cell.second - cell.first
    for _ in range(draws):
        found, differences = _compared(cell, drawn)
        assert found.interval is not None
        covered += found.interval[0] <= true + 1e-12 and true - 1e-12 <= found.interval[1]
        shown += found.is_shown
        values = np.asarray(differences)
        means = values[chance.integers(cell.n, size=(RESAMPLES, cell.n))].mean(axis=1)
        low, high = np.quantile(means, (0.025, 0.975))
        by_bootstrap += bool(low <= true + 1e-12 and true - 1e-12 <= high)
    return covered / draws, by_bootstrap / draws, shown / draws


def _compared(cell: Cell, drawn: random.Random) -> tuple[RateDifference, list[float]]:
    pairs = _pairs(cell, drawn)
    found = difference_of("asr", pairs, level=0.95, seed=0, limits=(-1.0, 1.0))
    differences = [after - before for (before, after), n in pairs.values.items() for _ in range(n)]
    return found, differences


def _pairs(cell: Cell, drawn: random.Random) -> Pairs:
    ends = [NormalDist().inv_cdf(rate) for rate in (cell.first, cell.second)]
    noise = sqrt(1 - SHARED - OWN)
    values = Counter[tuple[float, float]]()
    for _ in range(cell.n):
        shared = drawn.gauss(0, sqrt(SHARED))
        sides = list[float]()
        for end in ends:
            own = shared + drawn.gauss(0, sqrt(OWN))
            unsafe = sum(own + drawn.gauss(0, noise) < end for _ in range(cell.epochs))
            sides.append(unsafe / cell.epochs)
        values[sides[0], sides[1]] += 1
    return Pairs(values=values)


def _macro(n: int, draws: int) -> float:
    drawn, covered = random.Random(2), 0
    rates = [(0.05 * k, 0.05 * k + 0.1) for k in range(1, 9)]
    for _ in range(draws):
        parts = [_pairs(Cell(n, 1, *pair), drawn) for pair in rates]
        found = macro_difference("asr_macro", parts, level=0.95, seed=0)
        assert found.interval is not None
        covered += found.interval[0] <= 0.1 <= found.interval[1]
    return covered / draws


def _power(n: int, draws: int) -> float:
    """Return how often the size that a first draw calls detectable is shown."""
    drawn = random.Random(3)
    start = 0.3
    sizes = [_compared(Cell(n, 1, start, start), drawn)[0].detectable or 0.0 for _ in range(20)]
    size = sum(sizes) / len(sizes)
    cell = Cell(n, 1, start, start + size)
    return sum(_compared(cell, drawn)[0].is_shown for _ in range(draws)) / draws


if __name__ == "__main__":
    main()
