"""Corrected rates beside those of truescore 0.7.4, at a rate of 2 % and 100 labels.

    python -m pip install truescore==0.7.4
    python benchmarks/trust_rivals.py [--draws 1000]

Both are given the same 100 labels of a run of 1,000 cases, drawn at random from all of them:
truescore takes labels of its own choosing, we also take half of them from each verdict.
"""

import argparse
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from trust_grid import by_verdict

from safejury.evaluation.trust.rates import Stratum

CASES, LABELS, RATE = 1000, 100, 0.02
JURIES = ((0.8, 0.9), (0.9, 0.95), (0.99, 0.99))
_Ends = tuple[float, float]


def run_of(rng: np.random.Generator, sensitivity: float, specificity: float) -> tuple[Any, Any]:
    """Return which cases of a run are unsafe, and which are found so."""
    unsafe = rng.random(CASES) < RATE
    chance = np.where(unsafe, sensitivity, 1 - specificity)
    return unsafe.astype(int), (rng.random(CASES) < chance).astype(int)


def ours(unsafe: Any, found: Any, labeled: Any) -> _Ends:
    """Return our interval of labels that are a random part of each verdict."""
    strata = list[Stratum]()
    for verdict in (1, 0):
        own = found == verdict
        both = own & labeled
        strata.append(Stratum(int(own.sum()), int(both.sum()), int(unsafe[both].sum())))
    return by_verdict(strata)


def half_of_each(rng: np.random.Generator, found: Any) -> Any:
    """Draw as many labels of cases found unsafe as of others, as far as there are any."""
    flagged, passed = np.flatnonzero(found), np.flatnonzero(found == 0)
    of_flagged = min(len(flagged), LABELS // 2)
    labeled = np.zeros(CASES, dtype=bool)
    labeled[rng.choice(flagged, of_flagged, replace=False)] = True
    labeled[rng.choice(passed, LABELS - of_flagged, replace=False)] = True
    return labeled


def truescores() -> dict[str, Callable[[Any, Any, Any], _Ends]]:
    """Return what truescore offers, by name."""
    correct = import_module("truescore.correct")

    def ppi(unsafe: Any, found: Any, labeled: Any) -> _Ends:
        one = correct.ppi_estimate(found, unsafe[labeled], np.flatnonzero(labeled))
        return one.low, one.high

    def rogan_gladen(unsafe: Any, found: Any, labeled: Any) -> _Ends:
        one = correct.rogan_gladen_estimate(found, unsafe[labeled], np.flatnonzero(labeled))
        return one.low, one.high

    return {"truescore, PPI": ppi, "truescore, Rogan-Gladen": rogan_gladen}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    draws = parser.parse_args().draws
    warnings.simplefilter("ignore")
    methods = {"ours, labels drawn from all": ours, **truescores()}
    names = [*methods, "ours, labels drawn by verdict"]
    print(f"{'sensitivity, specificity':<26}{'':<32} covered   width  failed")
    for sensitivity, specificity in JURIES:
        held, widths = dict.fromkeys(names, 0), {name: list[float]() for name in names}
        rng = np.random.default_rng(7)
        for _ in range(draws):
            unsafe, found = run_of(rng, sensitivity, specificity)
            labeled = np.zeros(CASES, dtype=bool)
            labeled[rng.choice(CASES, LABELS, replace=False)] = True
            by_half = half_of_each(rng, found)
            for name in names:
                try:
                    low, high = methods.get(name, ours)(
                        unsafe, found, by_half if name not in methods else labeled
                    )
                except ValueError:
                    continue
                held[name] += low <= RATE <= high
                widths[name].append(high - low)
        for name in names:
            failed = 1 - len(widths[name]) / draws
            width = np.mean(widths[name]) if widths[name] else np.nan
            covered = held[name] / max(1, len(widths[name]))
            row = f"{sensitivity:.0%}, {specificity:.0%}"
            print(f"{row:<26}{name:<32} {covered:>7.1%} {width:>7.3f} {failed:>7.1%}")


if __name__ == "__main__":
    main()
