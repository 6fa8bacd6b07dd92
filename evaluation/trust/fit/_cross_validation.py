"""Fits on some groups of cases and finds on the others, again and again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....deliberation.protocol.card import Cost, LogisticModel
from .._votes import UNSAFE, VoteTable
from ._calibrated import Training, apply_model, fit_calibrated, uses_ratings
from ._dawid_skene import fit_dawid_skene, latent_findings, vote_shares
from ._design import Design, FloatArray
from ._folds import folds_by_group

Findings = NDArray[np.int8]
_OUTER, _INNER, _SUBSET = 1, 2, 3
"""Parts of seeds, so that what is drawn for one purpose says nothing of another."""


@dataclass(frozen=True, slots=True, eq=False)
class Labeled:
    """Votes with labels, and what fits and folds need of them.

    Attributes:
        votes: Of all cases, labeled or not.
        rows: The labeled cases.
        unsafe: For each of all cases, whether it is labeled unsafe.
        weights: For each of all cases, how many cases it stands for.
        groups: For each of all cases, the number of its group.
    """

    votes: VoteTable
    rows: NDArray[np.intp]
    unsafe: NDArray[np.bool_]
    weights: FloatArray
    groups: NDArray[np.intp]

    def training(self, rows: NDArray[np.intp]) -> Training:
        """Return some of the labeled cases, to fit on."""
        return Training(rows, self.unsafe[rows], self.weights[rows], self.groups[rows])


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidated:
    """What is found of each labeled case by models that were fitted without its group.

    Attributes:
        calibrated: Repeats by labeled cases.
        probabilities: Of `calibrated`.
        best_juror: The votes of the juror that was the best of the others.
        dawid_skene: Without a label.
        without: Of `calibrated` without each juror; fewer repeats, the first ones.
        folds: Repeats by labeled cases: the fold that each is in.
        models: Of `calibrated`, by repeat, by the fold that it was fitted without.
    """

    calibrated: Findings
    probabilities: FloatArray
    best_juror: Findings
    dawid_skene: Findings
    without: dict[str, Findings]
    folds: NDArray[np.intp]
    models: Sequence[Mapping[int, LogisticModel]]


def best_juror(data: Labeled, rows: NDArray[np.intp]) -> int:
    """Return which juror has the highest F1 on some rows; of equals the first by name."""
    y, w = data.unsafe[rows], data.weights[rows]
    scores: list[float] = []
    for at in range(len(data.votes.jurors)):
        flagged = data.votes.votes[rows, at] == UNSAFE
        hits = float((w * (flagged & y)).sum())
        scores.append(2 * hits / max(float((w * flagged).sum() + (w * y).sum()), 1e-12))
    highest = max(scores)
    names = data.votes.jurors
    return min((at for at in range(len(names)) if scores[at] == highest), key=names.__getitem__)


def cross_validate(
    data: Labeled, *, cost: Cost | None, repeats: int, folds: int, seed: int, without_repeats: int
) -> CrossValidated:
    """Fit on all folds but one and find on that one, for each fold of each repeat."""
    n, jurors = len(data.rows), data.votes.jurors
    design = Design.of(data.votes)
    plain = design.plain or design
    cast = vote_shares(plain.patterns)
    shape = (repeats, n)
    calibrated, chosen, latent = (np.zeros(shape, np.int8) for _ in range(3))
    probabilities, fold_of = np.zeros(shape), np.zeros(shape, np.intp)
    models: list[dict[int, LogisticModel]] = [{} for _ in range(repeats)]
    fewer = min(repeats, without_repeats) if len(jurors) > 1 else 0
    without = {name: np.zeros((fewer, n), np.int8) for name in jurors} if fewer else {}
    for repeat in range(repeats):
        fold_of[repeat] = _folds(data, folds, (seed, _OUTER, repeat))
        for fold in np.unique(fold_of[repeat]).tolist():
            out = fold_of[repeat] == fold
            rows, held = data.rows[~out], data.rows[out]
            inner = (seed, _INNER, repeat, fold)
            fitted = fit_calibrated(design, data.training(rows), cost=cost, seed=inner)
            models[repeat][fold] = fitted
            findings, p = apply_model(fitted, design.patterns)
            calibrated[repeat, out] = findings[design.of_case[held]]
            probabilities[repeat, out] = p[design.of_case[held]]
            chosen[repeat, out] = data.votes.votes[held, best_juror(data, rows)]
            others = ~np.isin(data.groups, data.groups[held])
            belief = fit_dawid_skene(cast, plain.times(others)).probabilities(cast)
            belief = belief[plain.of_case[held]]
            latent[repeat, out] = latent_findings(belief, data.votes.votes[held])
            for at, name in enumerate(jurors if repeat < fewer else ()):
                less = fit_calibrated(
                    design,
                    data.training(rows),
                    cost=cost,
                    seed=inner,
                    ratings=uses_ratings(fitted),
                    without=at,
                )
                findings, _ = apply_model(less, design.patterns)
                without[name][repeat, out] = findings[design.of_case[held]]
    return CrossValidated(calibrated, probabilities, chosen, latent, without, fold_of, models)


def learning_curve(
    data: Labeled, validated: CrossValidated, *, cost: Cost | None, repeats: int, seed: int
) -> dict[int, Findings]:
    """Return what `calibrated` finds out of fold, fitted on more and more labels.

    Groups of the training folds are taken in a drawn order until they have as many labels.

    Args:
        data: The cases.
        validated: Of the same cases, for its folds, and for where ratings helped.
        cost: What errors cost.
        repeats: The first so many repeats.
        seed: Of what is random.

    Returns:
        Repeats by labeled cases, by the number of labels.
    """
    design = Design.of(data.votes)
    n, folds = len(data.rows), len(validated.models[0])
    most = n * (folds - 1) // folds
    steps = [size for size in (25 * 2**power for power in range(1, 12)) if size < 0.75 * most]
    found = {size: np.zeros((repeats, n), np.int8) for size in (*steps, most)}
    for repeat in range(repeats):
        for fold, model in validated.models[repeat].items():
            out = validated.folds[repeat] == fold
            rows, held = data.rows[~out], data.rows[out]
            drawn = _drawn(data, rows, (seed, _SUBSET, repeat, fold))
            for size, findings in found.items():
                few = drawn if size == most else drawn[: _whole_groups(data, drawn, size)]
                inner = (seed, _INNER, repeat, fold)
                cases = data.training(few)
                fitted = fit_calibrated(
                    design, cases, cost=cost, seed=inner, ratings=uses_ratings(model)
                )
                findings[repeat, out] = apply_model(fitted, design.patterns)[0][
                    design.of_case[held]
                ]
    return found


def _folds(data: Labeled, folds: int, seed: tuple[int, ...]) -> NDArray[np.intp]:
    return folds_by_group(data.unsafe[data.rows], data.groups[data.rows], folds, seed)


def _drawn(data: Labeled, rows: NDArray[np.intp], seed: tuple[int, ...]) -> NDArray[np.intp]:
    """Return rows in a drawn order of their groups."""
    _, inverse = np.unique(data.groups[rows], return_inverse=True)
    place = np.random.default_rng(seed).permutation(inverse.max() + 1)
    return rows[np.argsort(place[inverse], kind="stable")]


def _whole_groups(data: Labeled, drawn: NDArray[np.intp], size: int) -> int:
    """Return where the group ends that the label number `size` is in."""
    groups = data.groups[drawn]
    ends = np.flatnonzero(groups != groups[min(size, len(groups)) - 1])
    later = ends[ends >= size]
    return int(later[0]) if len(later) else len(drawn)
