"""A small part of the grid of `benchmarks/trust_grid.py`: how often intervals hold the rate."""

from itertools import product
from random import Random

import pytest

from safejury.evaluation.trust.rates import Errors, Stratum, rate_by_card, rate_by_verdict

RUNS, DRAWS, CASES = 60, 256, 600
CELLS = list(product((0.02, 0.2), ((0.8, 0.9), (0.95, 0.97))))
LEAST = 0.87
"""What an interval of 95 % falls below, in 60 runs, once in a hundred times."""


def hits(rng: Random, number: int, chance: float) -> int:
    return sum(rng.random() < chance for _ in range(number))


@pytest.mark.parametrize(("rate", "jury"), CELLS)
def test_labels_of_the_run_hold_the_rate(rate: float, jury: tuple[float, float]) -> None:
    rng, held = Random(5), 0
    for _ in range(RUNS):
        unsafe = hits(rng, CASES, rate)
        found, missed = (caught := hits(rng, unsafe, jury[0])), unsafe - caught
        alarms = hits(rng, CASES - unsafe, 1 - jury[1])
        strata = list[Stratum]()
        for bad, good in ((found, alarms), (missed, CASES - unsafe - alarms)):
            labeled = min(60, bad + good)
            drawn = rng.sample([True] * bad + [False] * good, labeled)
            strata.append(Stratum(bad + good, labeled, sum(drawn)))
        low, high = rate_by_verdict(strata, draws=DRAWS).interval or (2, 2)
        held += low <= rate <= high
    assert held >= LEAST * RUNS


@pytest.mark.parametrize(("rate", "jury"), CELLS)
def test_a_card_holds_the_rate(rate: float, jury: tuple[float, float]) -> None:
    """A card that is said not to fit holds nothing."""
    rng, held = Random(6), 0
    for _ in range(RUNS):
        flagged = hits(rng, CASES, rate * jury[0] + (1 - rate) * (1 - jury[1]))
        errors = Errors(60, hits(rng, 60, jury[0]), 90, hits(rng, 90, 1 - jury[1]))
        low, high = rate_by_card(flagged, CASES, errors, draws=DRAWS).interval or (2, 2)
        held += low <= rate <= high
    assert held >= LEAST * RUNS
