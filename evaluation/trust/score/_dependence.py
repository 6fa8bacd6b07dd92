"""Measures how far jurors err together, and agree."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ....deliberation.protocol.card import Dependence, Figure
from .._votes import NO_VOTE, VoteTable
from ._agreement import agreement_figures, splits_of
from ._resampling import FloatArray, Resampling, figure
from ._tally import ratio

_IMAGINED_PAIR = 0.25


def dependence(
    votes: VoteTable,
    rows: NDArray[np.intp],
    labels: NDArray[np.int8],
    weights: FloatArray,
    resampling: Resampling,
    every: Resampling,
) -> Dependence:
    """Return how far the jurors err together on labeled cases, and agree on all cases.

    Two jurors are compared over the labeled cases on which both voted. The mean of the
    correlations makes the effective number of jurors (L. Kish, "Survey Sampling", 1965).

    Args:
        votes: Of all cases.
        rows: The labeled cases.
        labels: Of the labeled cases.
        weights: How many cases each labeled case stands for.
        resampling: Of the labeled cases.
        every: Of all cases.
    """
    jurors, found = votes.jurors, votes.votes[rows]
    voted = found != NO_VOTE
    wrong = voted & (found != labels[:, None])
    pairs = list(combinations(range(len(jurors)), 2))
    first, second = np.array(pairs, np.intp).reshape(-1, 2).T
    both = voted[:, first] & voted[:, second]
    one, two = wrong[:, first] & both, wrong[:, second] & both
    cells = np.stack([both, one, two, one & two], axis=-1) * weights[:, None, None]
    values = _phi(cells.sum(axis=0))
    draws = resampling.draws(cells)
    imagined = np.random.default_rng((resampling.resamples, 2)).gamma(
        _IMAGINED_PAIR, size=(3, resampling.resamples, 1)
    )
    none, either, two_err = imagined  # of an imagined case neither errs, one of the two, or both
    draws[..., 0] += none + 2 * either + two_err
    draws[..., 1] += either + two_err
    draws[..., 2] += either + two_err
    draws[..., 3] += two_err
    known = np.isfinite(values)
    if not known.any():
        rho = effective = Figure(None, None)
    else:
        mean, drawn = float(values[known].mean()), _phi(draws)[:, known]
        of_draws = np.nanmean(drawn, axis=1)
        rho = figure(mean, of_draws)
        k = len(jurors)
        effective = figure(
            float(_kish(np.array(mean), k)), _kish(of_draws, k), low=1.0, high=float(k)
        )
    agreed = agreement_figures(splits_of(votes.votes), every)
    table: dict[str, dict[str, float | None]] = {name: {} for name in jurors}
    for (a, b), value in zip(pairs, values.tolist(), strict=True):
        phi = value if np.isfinite(value) else None
        table[jurors[a]][jurors[b]] = table[jurors[b]][jurors[a]] = phi
    return Dependence(
        effective_jurors=effective,
        alpha=agreed["alpha"],
        error_correlation=rho,
        ac1=agreed["ac1"],
        pairs=table,
    )


def _phi(cells: FloatArray) -> FloatArray:
    """Return the correlation of two indicators; not a number where one does not vary."""
    both, one, two, joint = (cells[..., at] for at in range(4))
    spread = one * (both - one) * two * (both - two)
    return ratio(both * joint - one * two, np.sqrt(np.maximum(spread, 0.0)))


def _kish(rho: FloatArray, jurors: int) -> FloatArray:
    spread = 1 + (jurors - 1) * np.clip(rho, 0.0, 1.0)
    return jurors / spread
