"""How often the intervals of corrected rates hold the true rate, on a grid of juries and runs.

    python -P benchmarks/trust_grid.py [--draws 1000] [--clustered] [--quick]

It draws runs whose true rate is known, corrects each by labels of its own and by a card from
elsewhere, and counts. The corrections are those of `safejury.evaluation.trust.rates`, computed for
many runs at once; `same_as_product` compares the two.
"""

import argparse
import itertools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, gammaln  # pyright: ignore[reportMissingTypeStubs]

from safejury.evaluation.trust.rates import Errors, Stratum, rate_by_card, rate_by_verdict
from safejury.evaluation.trust.rates._draws import normal_quantiles, shuffle

POINTS = 1024
"""Draws of a posterior; `safejury report` takes more."""
CASES, RATES = (300, 800, 2300), (0.01, 0.02, 0.05, 0.2, 0.5)
SENSITIVITIES, SPECIFICITIES, LABELS = (0.6, 0.8, 0.99), (0.8, 0.9, 0.99), (80, 200, 400)
_Z = 1.959963984540054
_MIDDLES = (np.arange(POINTS) + 0.5) / POINTS
_BEYOND = int(0.025 * POINTS)
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cell:
    """A jury and a run."""

    cases: int
    rate: float
    sensitivity: float
    specificity: float
    labels: int


@dataclass(frozen=True, slots=True)
class Found:
    """What became of the runs of a cell.

    Attributes:
        covered: Share of the runs whose interval holds the true rate.
        width: Mean width of the intervals.
        refused: Share of the runs in which the card was said not to fit; none is covered.
    """

    covered: float
    width: float
    refused: float = 0.0


def grid() -> Iterator[Cell]:
    """Yield the cells; as many labels as cases or more are none."""
    for cell in itertools.product(CASES, RATES, SENSITIVITIES, SPECIFICITIES, LABELS):
        if cell[4] < cell[0]:
            yield Cell(*cell)


@lru_cache(maxsize=4096)
def _beta(hits: float, misses: float, role: int) -> Array:
    """Return draws of a Beta posterior with Jeffreys' prior."""
    return betaincinv(hits + 0.5, misses + 0.5, _MIDDLES)[list(shuffle(role, POINTS))]


@lru_cache(maxsize=4096)
def _beta_binomial(rest: int, hits: float, misses: float, role: int) -> Array:
    """Return draws of how many of the rest of a stratum are unsafe."""
    k = np.arange(rest + 1)
    a, b = hits + 0.5, misses + 0.5
    logs: Array = gammaln(k + a) + gammaln(rest - k + b) - gammaln(k + 1) - gammaln(rest - k + 1)
    chances: Array = np.exp(logs - logs.max())
    chances[chances < 1e-13] = 0
    sums: Array = np.cumsum(chances)
    found = np.searchsorted(sums, _MIDDLES * sums[-1])  # pyright: ignore[reportUnknownVariableType]
    return np.array(found, np.float64)[list(shuffle(role, POINTS))]


def by_card(flagged: int, cases: int, errors: Errors) -> tuple[float, float] | None:
    """Return the interval of `rate_by_card`, None where the card does not fit."""
    share = flagged / cases
    p = _beta(flagged, cases - flagged, 0)
    s = _beta(errors.hits, errors.unsafe - errors.hits, 1)
    f = _beta(errors.alarms, errors.safe - errors.alarms, 2)
    if (p < f).sum() >= 0.975 * POINTS or ((p > s) & (s > f)).sum() >= 0.975 * POINTS:
        return None
    spread = s - f
    rates = np.where(spread > 0, (p - f) / np.where(spread > 0, spread, 1), (p > f) * 1.0)
    rates = np.clip(np.sort(rates), 0, 1)
    above = (share - errors.false_alarms) / (errors.sensitivity - errors.false_alarms)
    value = min(1.0, max(0.0, above))
    return min(rates[_BEYOND], value), max(rates[-1 - _BEYOND], value)


def by_verdict(strata: list[tuple[int, int, int]]) -> tuple[float, float]:
    """Return the interval of `rate_by_verdict`; a stratum is its cases, labels, unsafe labels."""
    cases = sum(n for n, _, _ in strata)
    totals, least, most = np.zeros(POINTS), np.zeros(POINTS), np.zeros(POINTS)
    for role, (n, m, unsafe) in enumerate(strata, 1):
        found = unsafe + _beta_binomial(n - m, unsafe, m - unsafe, role) if n else np.zeros(POINTS)
        totals += found
        least += found if unsafe else 0
        most += n if unsafe == m else found
    low = (_ends(totals, cases)[0] + _ends(least, cases)[0]) / 2
    high = (_ends(totals, cases)[1] + _ends(most, cases)[1]) / 2
    value = sum(u + (n - m) * (u / m if m else 0.5) for n, m, u in strata) / cases
    low = 0.0 if not any(u for _, _, u in strata) else low
    high = 1.0 if all(u == m for _, m, u in strata) else high
    return min(low, value), max(high, value)


def _ends(totals: Array, cases: int) -> tuple[float, float]:
    angles = np.arcsin(np.sqrt((totals + 0.375) / (cases + 0.75)))
    angles += np.array(normal_quantiles(POINTS))[list(shuffle(0, POINTS))] / (2 * np.sqrt(cases))
    angles.sort()
    low, high = max(0.0, angles[_BEYOND]), min(np.pi / 2, angles[-1 - _BEYOND])
    return float(np.sin(low) ** 2), float(np.sin(high) ** 2)


def formula(flagged: int, cases: int, errors: Errors) -> tuple[float, float]:
    """Return the interval of Lee et al. (arXiv 2511.21140), with which that of a card compares."""
    p = (flagged + _Z**2 / 2) / (cases + _Z**2)
    s, q = (errors.hits + 1) / (errors.unsafe + 2), 1 - (errors.alarms + 1) / (errors.safe + 2)
    n, unsafe, safe, spread = cases + _Z**2, errors.unsafe + 2, errors.safe + 2, s + q - 1
    if spread <= 0:
        return 0.0, 1.0
    rate = min(1.0, max(0.0, (p + q - 1) / spread))
    of_safe, of_unsafe = q * (1 - q) / safe, s * (1 - s) / unsafe
    error = np.sqrt(p * (1 - p) / n + (1 - rate) ** 2 * of_safe + rate**2 * of_unsafe) / spread
    middle = rate + 2 * _Z**2 * (rate * of_unsafe - (1 - rate) * of_safe)
    return max(0.0, middle - _Z * error), min(1.0, middle + _Z * error)


def of_card(cell: Cell, draws: int, seed: int) -> tuple[Found, Found]:
    """Return what a card from elsewhere and the formula do in a cell; half its labels are unsafe.

    Where the card could not correct anything it is drawn again.
    """
    rng = np.random.default_rng(seed)
    unsafe = cell.labels // 2
    safe = cell.labels - unsafe
    found = cell.rate * cell.sensitivity + (1 - cell.rate) * (1 - cell.specificity)
    held = np.zeros(2)
    widths: tuple[list[float], list[float]] = ([], [])
    refused = 0
    for _ in range(draws):
        errors = None
        while errors is None or not errors.can_correct:
            hits = int(rng.binomial(unsafe, cell.sensitivity))
            errors = Errors(unsafe, hits, safe, int(rng.binomial(safe, 1 - cell.specificity)))
        flagged = int(rng.binomial(cell.cases, found))
        ends = (by_card(flagged, cell.cases, errors), formula(flagged, cell.cases, errors))
        refused += ends[0] is None
        for place, interval in enumerate(ends):
            if interval is not None:
                held[place] += interval[0] <= cell.rate <= interval[1]
                widths[place].append(interval[1] - interval[0])
    return (
        Found(held[0] / draws, float(np.mean(widths[0])), refused / draws),
        Found(held[1] / draws, float(np.mean(widths[1]))),
    )


def of_labels(cell: Cell, draws: int, seed: int) -> Found:
    """Return what labels of the run do in a cell: half of them of cases found unsafe."""
    rng = np.random.default_rng(seed)
    held, widths = 0, list[float]()
    for _ in range(draws):
        unsafe = int(rng.binomial(cell.cases, cell.rate))
        hits = int(rng.binomial(unsafe, cell.sensitivity))
        alarms = int(rng.binomial(cell.cases - unsafe, 1 - cell.specificity))
        flagged, passed = hits + alarms, cell.cases - hits - alarms
        of_passed = min(passed, cell.labels - min(flagged, cell.labels // 2))
        of_flagged = min(flagged, cell.labels - of_passed)
        low, high = by_verdict(
            [
                (flagged, of_flagged, _drawn(rng, hits, alarms, of_flagged)),
                (passed, of_passed, _drawn(rng, unsafe - hits, passed - unsafe + hits, of_passed)),
            ]
        )
        held += low <= cell.rate <= high
        widths.append(high - low)
    return Found(held / draws, float(np.mean(widths)))


def _drawn(rng: np.random.Generator, unsafe: int, safe: int, labels: int) -> int:
    return int(rng.hypergeometric(unsafe, safe, labels)) if labels else 0


def same_as_product() -> None:
    """Check that what is counted here is what `safejury report` computes.

    Raises:
        AssertionError: It is not.
    """
    errors = Errors(40, 31, 40, 3)
    product = rate_by_card(60, 300, errors, draws=POINTS)
    assert np.allclose(product.interval or (), by_card(60, 300, errors) or (), atol=1e-4)
    strata = [(60, 40, 9), (240, 40, 1)]
    product = rate_by_verdict([Stratum(*each) for each in strata], draws=POINTS)
    assert np.allclose(product.interval or (), by_verdict(strata), atol=1e-9)


def summary(name: str, found: list[Found]) -> str:
    """Return a row of the table: lowest and highest coverage, and the share from 93 to 97 %."""
    covered = np.array([one.covered for one in found])
    good = np.mean((covered >= 0.93) & (covered <= 0.97))
    return f"{name:<42} {covered.min():>6.1%} {covered.max():>7.1%} {good:>9.1%}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    draws = parser.parse_args().draws
    warnings.simplefilter("ignore", RuntimeWarning)
    same_as_product()
    cells = list(grid())
    card, plain, own = list[Found](), list[Found](), list[Found]()
    for seed, cell in enumerate(cells):
        one, other = of_card(cell, draws, seed)
        card.append(one)
        plain.append(other)
        own.append(of_labels(cell, draws, seed))
    print(f"{len(cells)} cells, {draws} runs each{'':<14} lowest highest in 93-97")
    for name, found in (
        ("labels of the run, by verdict", own),
        ("card from elsewhere", card),
        ("formula of Lee et al.", plain),
    ):
        print(summary(name, found))
    low = [place for place, cell in enumerate(cells) if cell.rate <= 0.05]
    width = [np.mean([found[place].width for place in low]) for found in (own, card, plain)]
    print(
        f"mean width at rates up to 5 %: labels {width[0]:.3f}, card {width[1]:.3f}, "
        f"formula {width[2]:.3f}: the card's is {width[1] / width[2]:.0%} of the formula's, that "
        f"of labels {width[0] / width[1]:.0%} of the card's"
    )
    print(f"cards that fit and were said not to: {np.mean([one.refused for one in card]):.1%}")
    for name, found in (("labels", own), ("card", card)):
        for cell, one in zip(cells, found, strict=True):
            if not 0.93 <= one.covered <= 0.97:
                print(f"  outside, {name}: {one.covered:.1%} {cell}")


if __name__ == "__main__":
    main()
