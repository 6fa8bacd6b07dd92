"""The model of the rule `calibrated`: a strongly shrunk logistic regression over ballots."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....deliberation.protocol.card import (
    MIDDLE_RATING,
    RATING_STEPS,
    Cost,
    JurorWeights,
    LogisticModel,
    threshold_of,
)
from .._votes import NO_VOTE, SAFE, UNSAFE, VoteTable
from ._design import Design, FloatArray
from ._folds import folds_by_group
from ._logistic import fit_logistic, sigmoid

STRENGTH = 0.02
"""Shrinks so strongly that weights stay near the jurors' covariances with the labels.

Jurors err together, and labels are few: freer weights differ from one half of the labels to the
other. From 0.005 to 0.1 little changes.
"""
_SCALE_STRENGTH = 10.0
_FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """Labeled cases to fit on.

    Attributes:
        rows: Which of all cases.
        unsafe: Whether each is labeled unsafe.
        weights: How many cases each stands for.
        groups: The group of each.
    """

    rows: NDArray[np.intp]
    unsafe: NDArray[np.bool_]
    weights: FloatArray
    groups: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    """One choice of columns, tried out of fold on the training cases."""

    design: Design
    used: NDArray[np.bool_]
    slope: float
    shift: float
    probabilities: FloatArray
    losses: FloatArray


def fit_calibrated(
    design: Design,
    cases: Training,
    *,
    cost: Cost | None,
    seed: Sequence[int],
    ratings: bool | None = None,
    without: int | None = None,
) -> LogisticModel:
    """Fit the model, its scale and its threshold, to labeled cases.

    The shrunk log odds are put on the scale of the labels, and the threshold is set, by what
    models fitted on four fifths of the groups say of the last fifth. The threshold without a
    cost maximizes the F1 that the out-of-fold probabilities lead one to expect: the highest F1
    counted there is noisier, and does worse on other cases.

    Args:
        design: Of all cases.
        cases: The labeled cases to use.
        cost: What errors cost.
        seed: Of the inner folds.
        ratings: Whether to use ratings; None uses them where they help out of fold.
        without: A juror to leave out.

    Raises:
        ConfigurationError: A cost is not above 0.
    """
    folds = folds_by_group(cases.unsafe, cases.groups, _FOLDS, seed)

    def tried(*, with_ratings: bool) -> _Tried:
        of = design if with_ratings else design.plain or design
        return _try(of, of.used(ratings=with_ratings, without=without), cases, folds)

    best = tried(with_ratings=design.has_ratings if ratings is None else ratings)
    if ratings is None and design.has_ratings:
        plain = tried(with_ratings=False)
        if not _clearly_better(best.losses, plain.losses, cases.groups):
            best = plain
    center, slopes = _fit(best.design, best.used, cases, folds >= 0)
    weights = np.zeros(len(best.used))
    weights[best.used] = best.slope * slopes
    jurors = design.patterns.jurors
    finding, none, rating = weights.reshape(3, len(jurors)).tolist()
    return LogisticModel(
        intercept=best.shift - best.slope * center,
        weights={
            name: JurorWeights(finding[at], -finding[at], none[at], rating[at])
            for at, name in enumerate(jurors)
            if at != without
        },
        threshold=(
            best_threshold(best.probabilities, cases.weights)
            if cost is None
            else threshold_of(cost)
        ),
        cost=cost,
    )


def apply_model(model: LogisticModel, votes: VoteTable) -> tuple[NDArray[np.int8], FloatArray]:
    """Return what the rule `calibrated` finds of cases, and their probabilities.

    As the rule does it on ballots: nothing is found where no juror voted, or where ballots were
    lost that could change the finding. The probability is that of the ballots that are there.

    Args:
        model: Of a card.
        votes: Of its jurors, and maybe others.
    """
    n = len(votes.cases)
    odds, less, more, voted = (
        np.full(n, model.intercept),
        np.zeros(n),
        np.zeros(n),
        np.zeros(n, bool),
    )
    for name, of in model.weights.items():
        at = votes.jurors.index(name)
        cast, lost = votes.votes[:, at], votes.lost[:, at]
        below = MIDDLE_RATING - votes.ratings[:, at].astype(np.float64)
        rated = (cast != NO_VOTE) & (votes.ratings[:, at] > 0)
        odds += of.unsafe * (cast == UNSAFE) + of.safe * (cast == SAFE) + of.rating * rated * below
        odds += of.no_vote * ((cast == NO_VOTE) & ~lost)
        reach = abs(of.rating) * RATING_STEPS
        less += lost * min(of.no_vote, of.unsafe - reach, of.safe - reach)
        more += lost * max(of.no_vote, of.unsafe + reach, of.safe + reach)
        voted |= cast != NO_VOTE
    low, high = (sigmoid(odds + missing) > model.threshold for missing in (less, more))
    found = np.where(voted & (low == high), np.where(low, UNSAFE, SAFE), NO_VOTE)
    return found.astype(np.int8), sigmoid(odds)


def uses_ratings(model: LogisticModel) -> bool:
    """Whether a model uses ratings."""
    return any(of.rating for of in model.weights.values())


def best_threshold(probabilities: FloatArray, weights: FloatArray) -> float:
    """Return the threshold that maximizes the expected F1: half of that F1.

    Source: Z. Lipton, C. Elkan and B. Naryanaswamy, "Optimal thresholding of classifiers to
    maximize F1 measure", ECML PKDD (2014).
    """
    order = np.argsort(-probabilities)
    p, w = probabilities[order], weights[order]
    hits, flagged = np.cumsum(p * w), np.cumsum(w)
    return float((hits / (flagged + hits[-1])).max())


def _fit(
    design: Design, used: NDArray[np.bool_], cases: Training, fitted_on: NDArray[np.bool_]
) -> tuple[float, FloatArray]:
    """Return the weights of the columns, and before them the log odds that they add in the mean.

    The intercept is left out: it follows the share of unsafe cases, which is lower in the other
    folds where it is higher in one, and out of fold that would hide what the votes say.
    """
    columns, of = design.columns[:, used], design.of_case[cases.rows[fitted_on]]
    y, w = cases.unsafe[fitted_on], cases.weights[fitted_on]
    unsafe, safe = (np.bincount(of, w * kind, len(columns)).astype(np.float64) for kind in (y, ~y))
    _, slopes = fit_logistic(columns, unsafe, safe, STRENGTH)
    return float((unsafe + safe) @ (columns @ slopes) / w.sum()), slopes


def _try(
    design: Design, used: NDArray[np.bool_], cases: Training, folds: NDArray[np.intp]
) -> _Tried:
    y, w = cases.unsafe, cases.weights
    odds = np.zeros(len(y))
    for fold in range(_FOLDS):
        out = folds == fold
        center, slopes = _fit(design, used, cases, ~out)
        odds[out] = (design.columns[:, used] @ slopes - center)[design.of_case[cases.rows[out]]]
    slope, shift = _rescaled(odds, y, w)
    p = np.clip(sigmoid(slope * odds + shift), 1e-9, 1 - 1e-9)
    losses = w * -np.where(y, np.log(p), np.log1p(-p))
    return _Tried(design, used, slope, shift, p, losses)


def _rescaled(odds: FloatArray, y: NDArray[np.bool_], w: FloatArray) -> tuple[float, float]:
    """Return the slope and the shift that bring log odds to the scale of the labels (Platt)."""
    center = float(np.average(odds, weights=w))
    spread = float(np.sqrt(np.average((odds - center) ** 2, weights=w))) or 1.0
    column = ((odds - center) / spread)[:, None]
    shift, slopes = fit_logistic(column, w * y, w * ~y, _SCALE_STRENGTH)
    slope = float(slopes[0])
    if slope <= 0:  # what the votes say of the labels is not even true of the next fold
        shift, slope = fit_logistic(column[:, :0], w * y, w * ~y, _SCALE_STRENGTH)[0], 0.0
    return slope / spread, shift - slope * center / spread


def _clearly_better(losses: FloatArray, than: FloatArray, groups: NDArray[np.intp]) -> bool:
    """Whether losses are lower by more than a standard error, by group."""
    present, inverse = np.unique(groups, return_inverse=True)
    gains = np.bincount(inverse, than - losses, len(present))
    return bool(gains.sum() > np.sqrt(((gains - gains.mean()) ** 2).sum()))
