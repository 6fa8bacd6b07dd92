"""How often the intervals of corrected rates hold the true rate, on a grid of juries and runs.

    python benchmarks/trust_grid.py [--draws 1000]

It draws runs whose true rate is known, corrects each by labels of its own and by a card from
elsewhere, and counts. The corrections are those of `safejury.evaluation.trust.rates`, computed for
many runs at once; `same_as_product` compares the two.
"""

import argparse
import itertools
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, gammaln  # pyright: ignore[reportMissingTypeStubs]

from safejury.evaluation.metrics import Sums
from safejury.evaluation.trust.rates import Errors, Stratum, rate_by_card, rate_by_verdict
from safejury.evaluation.trust.rates._draws import normal_quantiles, shuffle
from safejury.evaluation.trust.rates._of_run import alike_in

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


def by_verdict(strata: Sequence[Stratum], independent: float | None = None) -> tuple[float, float]:
    """Return the interval of `rate_by_verdict`."""
    cases = sum(each.cases for each in strata)
    known = float(cases) if independent is None else independent
    totals, least, most = np.zeros(POINTS), np.zeros(POINTS), np.zeros(POINTS)
    for role, each in enumerate(strata, 1):
        found = _unsafe_of(each, role) if each.cases else np.zeros(POINTS)
        totals += found
        least += found if each.unsafe else 0
        most += each.cases if each.unsafe == each.labeled else found
    low = (_ends(totals, cases, known)[0] + _ends(least, cases, known)[0]) / 2
    high = (_ends(totals, cases, known)[1] + _ends(most, cases, known)[1]) / 2
    value = sum(each.expected() for each in strata) / cases
    low = low if any(each.unsafe for each in strata) else 0.0
    high = 1.0 if all(each.unsafe == each.labeled for each in strata) else high
    return min(low, value), max(high, value)


def _unsafe_of(stratum: Stratum, role: int) -> Array:
    hits, misses = stratum.counts
    size = max(1.0, stratum.labeled / (hits + misses)) if hits + misses else 1.0
    blocks = max(1, round(stratum.rest / size)) if stratum.rest else 0
    scale = stratum.rest / blocks if blocks else 0.0
    return stratum.unsafe + np.round(_beta_binomial(blocks, hits, misses, role) * scale)


def _ends(totals: Array, cases: int, independent: float) -> tuple[float, float]:
    scaled = totals * independent / cases
    angles = np.arcsin(np.sqrt((scaled + 0.375) / (independent + 0.75)))
    noise = np.array(normal_quantiles(POINTS))[list(shuffle(0, POINTS))]
    angles += noise / (2 * np.sqrt(independent))
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
        missed = unsafe - hits
        low, high = by_verdict(
            [
                Stratum(flagged, of_flagged, _drawn(rng, hits, alarms, of_flagged)),
                Stratum(passed, of_passed, _drawn(rng, missed, passed - missed, of_passed)),
            ]
        )
        held += low <= cell.rate <= high
        widths.append(high - low)
    return Found(held / draws, float(np.mean(widths)))


@dataclass(frozen=True, slots=True)
class Repeated:
    """A run in which each query is put three times, and the cases of a query end alike."""

    queries: int
    rate: float
    labels: int


EPOCHS, ALIKE = 3, 0.5
"""How often a query is put, and the correlation of what becomes of it; so do the jury's errors."""


def repeated() -> Iterator[Repeated]:
    """Yield the cells of the clustered grid, whose jury has 80 % sensitivity, 90 % specificity."""
    for cell in itertools.product((100, 250, 750), (0.02, 0.1, 0.3), (100, 250)):
        yield Repeated(*cell)


def of_repeated(cell: Repeated, draws: int, seed: int) -> tuple[Found, Found]:
    """Return what labels do in a clustered cell, and what they would if repeats were ignored."""
    rng = np.random.default_rng(seed)
    query = np.repeat(np.arange(cell.queries), EPOCHS)
    held, widths = np.zeros(2), np.zeros(2)

    def alike(mean: float) -> Array:
        spread = 1 / ALIKE - 1
        chance = rng.beta(mean * spread, (1 - mean) * spread, cell.queries)
        return (rng.random(len(query)) < chance[query]).astype(np.float64)

    for _ in range(draws):
        unsafe = alike(cell.rate)
        found = np.where(unsafe == 1, alike(0.8), alike(0.1))
        strata, labeled = list[Stratum](), np.zeros(len(query), dtype=bool)
        flagged = np.flatnonzero(found)
        of_flagged = min(len(flagged), cell.labels // 2)
        for verdict, number in ((1, of_flagged), (0, cell.labels - of_flagged)):
            own = np.flatnonzero(found == verdict)
            drawn = rng.choice(own, min(number, len(own)), replace=False)
            labeled[drawn] = True
            sums = sums_of(query[drawn], unsafe[drawn])
            strata.append(
                Stratum(
                    len(own), len(drawn), int(unsafe[drawn].sum()), informative=sums.effective()
                )
            )
        flags = sums_of(query, found)
        correlated = max(alike_in(flags), alike_in(sums_of(query[labeled], unsafe[labeled])))
        independent = flags.n / (1 + correlated * (flags.squared_sizes / flags.n - 1))
        plain = [replace(each, informative=None) for each in strata]
        for place, ends in enumerate((by_verdict(strata, independent), by_verdict(plain))):
            held[place] += ends[0] <= cell.rate <= ends[1]
            widths[place] += ends[1] - ends[0]
    return (
        Found(held[0] / draws, widths[0] / draws),
        Found(held[1] / draws, widths[1] / draws),
    )


def sums_of(query: NDArray[np.int64], unsafe: Array) -> Sums:
    """Return cases summed by query."""
    sums = Sums()
    counts, totals = np.bincount(query), np.bincount(query, unsafe)
    for n, total in zip(counts.tolist(), totals.tolist(), strict=True):
        if n:
            sums.add(n, total)
    return sums


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
    for passed in (Stratum(240, 40, 1), Stratum(240, 40, 0), Stratum(240, 40, 2, informative=21.5)):
        strata = [Stratum(60, 40, 9), passed]
        product = rate_by_verdict(strata, independent=170, draws=POINTS)
        assert np.allclose(product.interval or (), by_verdict(strata, 170), atol=1e-9)


def summary(name: str, found: list[Found]) -> str:
    """Return a row of the table: lowest and highest coverage, and the share from 93 to 97 %."""
    covered = np.array([one.covered for one in found])
    good = np.mean((covered >= 0.93) & (covered <= 0.97))
    return f"{name:<42} {covered.min():>6.1%} {covered.max():>7.1%} {good:>9.1%}"


def lines(draws: int, *, shown: bool = False) -> Iterator[str]:
    """Yield the lines of the table, after minutes of counting.

    Args:
        draws: Runs of each cell.
        shown: Whether the cells outside 93 to 97 % are listed.
    """
    warnings.simplefilter("ignore", RuntimeWarning)
    same_as_product()
    cells = list(grid())
    card, plain, own = list[Found](), list[Found](), list[Found]()
    for seed, cell in enumerate(cells):
        one, other = of_card(cell, draws, seed)
        card.append(one)
        plain.append(other)
        own.append(of_labels(cell, draws, seed))
    yield f"{f'corrected rates: {len(cells)} cells of {draws} runs':<42} lowest highest in 93-97 %"
    yield summary("labels of the run, by verdict", own)
    yield summary("card from elsewhere", card)
    yield summary("formula of Lee et al.", plain)
    low = [place for place, cell in enumerate(cells) if cell.rate <= 0.05]
    width = [float(np.mean([found[place].width for place in low])) for found in (own, card, plain)]
    yield (
        f"mean width at rates up to 5 %: labels {width[0]:.3f}, card {width[1]:.3f}, formula "
        f"{width[2]:.3f}: the card's is {width[1] / width[2]:.0%} of the formula's, that of as "
        f"many labels of the run {width[0] / width[1]:.0%} of the card's"
    )
    yield f"cards that fit and were said not to: {np.mean([one.refused for one in card]):.1%}"
    if shown:
        for name, found in (("labels", own), ("card", card)):
            for cell, one in zip(cells, found, strict=True):
                if not 0.93 <= one.covered <= 0.97:
                    yield f"  outside, {name}: {one.covered:.1%} {cell}"
    clustered = [of_repeated(cell, draws, seed) for seed, cell in enumerate(repeated())]
    yield f"{f'each query three times: {len(clustered)} cells':<42} lowest highest in 93-97 %"
    yield summary("labels of the run, by verdict", [one for one, _ in clustered])
    yield summary("the same, as if repeats were independent", [other for _, other in clustered])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--outside", action="store_true", help="List cells outside 93 to 97 %%.")
    asked = parser.parse_args()
    for line in lines(asked.draws, shown=asked.outside):
        print(line, flush=True)


if __name__ == "__main__":
    main()
