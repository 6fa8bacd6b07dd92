"""Measures how far probabilities can be taken at their word."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ....deliberation.protocol.card import Reliability, ReliabilityBin
from ._figures import mean_figure, share_figure
from ._resampling import FloatArray, Resampling

_EDGES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)


def reliability(
    probabilities: FloatArray,
    unsafe: NDArray[np.bool_],
    weights: FloatArray,
    resampling: Resampling,
) -> Reliability:
    """Return the Brier score, and the table of what was said and what was so.

    Args:
        probabilities: Repeats by cases; the table is of their means.
        unsafe: Whether each case is labeled unsafe.
        weights: How many cases each stands for.
        resampling: Of the same cases.
    """
    brier = mean_figure((probabilities - unsafe) ** 2, weights, resampling)
    p = probabilities.mean(axis=0)
    bins: list[ReliabilityBin] = []
    for low, high in pairwise(_EDGES):
        inside = (p >= low) & ((p < high) | (high == 1))
        if not inside.any():
            continue
        weighed = np.where(inside, weights, 0.0)
        # Weights are brought to the number of cases, or the interval would be that of others.
        scale = inside.sum() / weighed.sum()
        share, _ = share_figure(
            resampling.by_group(weighed * unsafe) * scale, resampling.by_group(weighed) * scale
        )
        bins.append(
            ReliabilityBin(
                low=low,
                high=high,
                cases=int(inside.sum()),
                mean=float(np.average(p[inside], weights=weights[inside])),
                unsafe=share,
            )
        )
    return Reliability(brier=brier, bins=tuple(bins))
