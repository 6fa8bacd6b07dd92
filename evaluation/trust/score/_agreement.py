"""Measures agreement among jurors, or among annotators: shares, kappa, AC1 and alpha."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ....common import Coincidences
from ....deliberation.protocol.card import Figure
from .._votes import SAFE, UNSAFE
from ._figures import share_figure
from ._resampling import FloatArray, Resampling, figure
from ._tally import cohen, ratio

_IMAGINED = 0.5


def annotator_agreement(given: NDArray[np.int8], resampling: Resampling) -> dict[str, Figure]:
    """Return how far annotators agree, by figure; empty where no case has two labels.

    `raw` is the share of pairs of labels of the same case that are the same, and `kappa` Cohen's,
    of more than two annotators the mean over pairs of them, weighted by the cases of both.

    Args:
        given: Cases by annotators.
        resampling: Of the same cases.
    """
    splits = splits_of(given)
    labels = splits.sum(axis=1)
    if not (labels >= 2).any():
        return {}
    pairs = labels * (labels - 1) / 2
    alike = pairs - splits[:, 0] * splits[:, 1]
    share = ratio(alike, pairs)
    counted = np.isfinite(share)
    raw, _ = share_figure(
        resampling.by_group(np.where(counted, share, 0.0)),
        resampling.by_group(counted.astype(np.float64)),
    )
    return {"raw": raw, "kappa": _kappa(given, resampling), **agreement_figures(splits, resampling)}


def splits_of(found: NDArray[np.int8]) -> FloatArray:
    """Return how many said unsafe, and safe, of each case."""
    return np.stack([(found == said).sum(axis=1) for said in (UNSAFE, SAFE)], axis=1).astype(float)


def agreement_figures(splits: FloatArray, resampling: Resampling) -> dict[str, Figure]:
    """Return Krippendorff's `alpha` and Gwet's `ac1`, with intervals by resampling.

    Args:
        splits: Of each case, how many said unsafe and how many safe.
        resampling: Of the same cases.
    """
    coincidences = Coincidences()
    kinds, times = np.unique(splits, axis=0, return_counts=True)
    for (unsafe, safe), count in zip(kinds.astype(int).tolist(), times.tolist(), strict=True):
        coincidences.add({UNSAFE: unsafe, SAFE: safe}, count)
    alpha = coincidences.alpha("nominal")
    terms = _terms(splits)
    draws = resampling.draws(terms)
    # One case on which one differs from the rest, and one on which all agree, are imagined.
    most = float(splits.sum(axis=1).max(initial=0))
    if most >= 2:
        imagined = _terms(np.array([[1.0, most - 1], [0.0, most]]))
        draws += (
            np.random.default_rng((resampling.resamples, 3)).gamma(
                _IMAGINED, size=(resampling.resamples, 2)
            )
            @ imagined
        )
    return {
        "alpha": figure(np.nan if alpha is None else alpha, _alpha(draws)),
        "ac1": figure(float(ac1(terms.sum(axis=0))), ac1(draws)),
    }


def _terms(splits: FloatArray) -> FloatArray:
    """Return what alpha and AC1 add up over cases.

    Of cases with two votes or more: unsafe votes, safe votes, pairs apart over votes less one,
    the share of pairs that agree, and one. Of cases with a vote: the share of unsafe votes,
    and one.
    """
    unsafe, safe = splits.T
    votes = unsafe + safe
    many, some = votes >= 2, votes >= 1
    others = np.where(many, votes - 1, 1.0)
    apart = unsafe * safe
    agreed = 1 - 2 * apart / np.where(many, votes * others, 1.0)
    columns = [unsafe * many, safe * many, apart / others * many, agreed * many, many]
    return np.stack([*columns, unsafe / np.maximum(votes, 1.0), some], axis=1).astype(np.float64)


def _alpha(terms: FloatArray) -> FloatArray:
    unsafe, safe, apart = (terms[..., at] for at in range(3))
    return 1 - ratio((unsafe + safe - 1) * apart, unsafe * safe)


def ac1(terms: FloatArray) -> FloatArray:
    """Return Gwet's AC1 of two categories.

    Agreement beyond chance, where chance is taken from how far the categories are from being
    sure: 2 p (1 - p). Unlike kappa it does not fall where nearly all cases are of one category.
    Source: K. L. Gwet, "Computing inter-rater reliability and its variance in the presence of
    high agreement", Br. J. Math. Stat. Psychol. 61 (2008) 29-48.
    """
    agreed, many, unsafe, some = (terms[..., at] for at in range(3, 7))
    share = ratio(unsafe, some)
    chance = 2 * share * (1 - share)
    return ratio(ratio(agreed, many) - chance, 1 - chance)


def _kappa(given: NDArray[np.int8], resampling: Resampling) -> Figure:
    pairs = list(combinations(range(given.shape[1]), 2))
    first, second = np.array(pairs, np.intp).T
    kinds = [
        (given[:, first] == one) & (given[:, second] == two)
        for one in (UNSAFE, SAFE)
        for two in (UNSAFE, SAFE)
    ]
    tables = np.stack(kinds, axis=-1).astype(np.float64)
    draws = resampling.draws(tables)
    draws += np.random.default_rng((resampling.resamples, 4)).gamma(
        _IMAGINED / 2, size=(resampling.resamples, 1, 4)
    )
    return figure(float(_mean_kappa(tables.sum(axis=0))), _mean_kappa(draws))


def _mean_kappa(tables: FloatArray) -> FloatArray:
    """Return the mean of pairs of annotators, weighted by cases."""
    each = cohen(tables.reshape(*tables.shape[:-1], 2, 2))
    cases = np.where(np.isfinite(each), tables.sum(axis=-1), 0.0)
    return ratio((np.where(np.isfinite(each), each, 0.0) * cases).sum(axis=-1), cases.sum(axis=-1))
