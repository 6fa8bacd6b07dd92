"""Turns counts into the figures of a card."""

from typing import Any

import numpy as np

from ....deliberation.protocol.card import Confusion, Figure, Found, Scores
from ...metrics import student_t, wilson_interval
from ._resampling import FloatArray, Resampling, figure
from ._tally import Measure, Tally, f1, kappa, ratio, sensitivity, specificity

_PAIRED: dict[str, tuple[Measure, float]] = {
    "f1": (f1, 1.0),
    "kappa": (kappa, 2.0),
    "sensitivity": (sensitivity, 1.0),
    "specificity": (specificity, 1.0),
}
"""Figures whose differences are told, and how far two can be apart."""
_USUAL_CORRELATION, _USUAL_WEIGHT = 0.15, 2.0


def scores_of(tally: Tally) -> Scores:
    """Return how well findings agree with labels."""
    return Scores(**rule_figures(tally))


def rule_figures(tally: Tally) -> dict[str, Any]:
    """Return the fields of `Scores`."""
    sensitive, unsafe_effect = _share(tally, label=0, found=0)
    specific, safe_effect = _share(tally, label=1, found=1)
    return {
        "sensitivity": sensitive,
        "specificity": specific,
        "f1": _measured(tally, f1, low=0.0),
        "kappa": _measured(tally, kappa, low=-1.0),
        "abstained": _share(tally, label=None, found=2)[0],
        "confusion": _confusion(tally),
        "design_effect": (unsafe_effect, safe_effect),
    }


def minus(tally: Tally, other: Tally) -> dict[str, Figure]:
    """Return the paired differences between two ways to find, over the same cases and resamples.

    Where both were repeated, repeats are compared with each other.
    """
    differences: dict[str, Figure] = {}
    for name, (measure, most) in _PAIRED.items():
        of_repeats = tally.values(measure) - other.values(measure)
        draws = tally.drawn(measure) - other.drawn(measure, against=True)
        differences[name] = figure(
            float(of_repeats.mean()), draws, low=-most, high=most, spread=_spread(of_repeats)
        )
    return differences


def share_figure(
    of: FloatArray, among: FloatArray, spread: tuple[float, float] | None = None
) -> tuple[Figure, float]:
    """Return a share with its interval, and its design effect.

    Wilson's interval at the effective number of cases: it keeps a width where a share is 0 or 1,
    where resampling has none. With few groups it is wider, as Student's t is (E. L. Korn and
    B. I. Graubard, Surv. Methodol. 24 (1998) 193-201).

    Args:
        of: By group, how many of the cases have what is counted.
        among: By group, how many cases there are.
        spread: Lowest and highest of the repeats.
    """
    n, groups = float(among.sum()), int((among > 0).sum())
    if not n:
        return Figure(None, None), 1.0
    share = min(1.0, max(0.0, float(of.sum()) / n))
    effect = _design_effect(of, among)
    z = student_t(0.975, 10**6)
    fewer = (z / student_t(0.975, groups - 1)) ** 2 if groups > 1 else 0.0
    return Figure(share, wilson_interval(share, max(1.0, n / effect * fewer)), spread), effect


def mean_figure(values: FloatArray, weights: FloatArray, resampling: Resampling) -> Figure:
    """Return the mean of what lies in [0, 1].

    Args:
        values: Repeats by cases.
        weights: How many cases each stands for.
        resampling: Of the same cases.
    """
    draws = resampling.draws(np.column_stack([values.mean(axis=0) * weights, weights]))
    of_repeats = np.average(values, axis=1, weights=weights)
    drawn = ratio(draws[:, 0], draws[:, 1])
    return figure(float(of_repeats.mean()), drawn, low=0.0, high=1.0, spread=_spread(of_repeats))


def _design_effect(of: FloatArray, among: FloatArray) -> float:
    """Return the variance of a share, by group, over that of as many independent cases.

    Few errors tell little of how they go together: by chance none are in the same group, and the
    effect would seem to be 1. So it is drawn, with the weight of two errors, to what a modest
    correlation within groups would make it.
    """
    n, groups = float(among.sum()), int((among > 0).sum())
    share = float(of.sum()) / n
    usual = 1 + _USUAL_CORRELATION * max(0.0, float(among @ among) / n - 1)
    rarer = n * min(share, 1 - share)
    if groups < 2 or rarer < 1e-9:
        return usual
    off = of - share * among
    of_independent = n * share * (1 - share) * n / max(n - 1, 1.0)
    measured = float(off @ off) * groups / (groups - 1) / of_independent
    return max(1.0, (rarer * measured + _USUAL_WEIGHT * usual) / (rarer + _USUAL_WEIGHT))


def _share(tally: Tally, *, label: int | None, found: int) -> tuple[Figure, float]:
    cells = tally.by_group.sum(axis=2) if label is None else tally.by_group[:, :, label]
    among, of = cells.sum(axis=-1), cells[..., found]
    scale = 1.0 if label is None else _scale(tally, label)
    of_repeats = of.sum(axis=0) / np.maximum(among.sum(axis=0), 1e-300)
    return share_figure(of.mean(axis=1) * scale, among.mean(axis=1) * scale, _spread(of_repeats))


def _scale(tally: Tally, label: int) -> float:
    """Return by what the weights of the cases of a label are multiplied, to sum to their number."""
    total = float(tally.counts[0, label].sum())
    return tally.labeled[label] / total if total else 1.0


def _measured(tally: Tally, measure: Measure, *, low: float) -> Figure:
    of_repeats = tally.values(measure)
    return figure(
        float(of_repeats.mean()), tally.drawn(measure), low=low, spread=_spread(of_repeats)
    )


def _spread(of_repeats: FloatArray) -> tuple[float, float] | None:
    if len(of_repeats) < 2 or not np.isfinite(of_repeats).all():
        return None
    return float(of_repeats.min()), float(of_repeats.max())


def _confusion(tally: Tally) -> Confusion:
    mean = tally.counts.mean(axis=0)
    unsafe, safe = (Found(*(mean[label] * _scale(tally, label)).tolist()) for label in (0, 1))
    return Confusion(unsafe=unsafe, safe=safe)
