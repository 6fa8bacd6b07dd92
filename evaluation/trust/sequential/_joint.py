"""Fits the joint model of a jury's votes: latent classes, without labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....deliberation.protocol.card import VoteModel
from .._votes import NO_VOTE, UNSAFE, VoteTable

Floats = NDArray[np.float64]
_MOST_CLASSES = 8
_STARTS = 12
_SHORT, _LONG = 20, 300  # steps of each start, and of the best of them
_ENOUGH = 1e-6  # gain in log likelihood a case, below which a step is the last
_PRIOR = 1.0  # cases of average votes that each class has beside its own


def fit_joint(
    votes: VoteTable,
    *,
    classes: int | None = None,
    seed: int = 0,
    times: NDArray[np.float64] | None = None,
) -> VoteModel:
    """Fit a model of what the jurors of a jury vote together, whatever the truth is.

    Cases fall into a few classes, and within a class jurors vote independently, which holds how
    they depend on each other. Ballots that were lost are missing: they say nothing of a juror.

    Args:
        votes: At least one case.
        classes: How many classes, at least 1; None for as many as BIC chooses.
        seed: Of the random starts.
        times: How many cases each row of the table stands for, 0 or more; one each unless given.
    """
    said = np.where(votes.votes == UNSAFE, 0, np.where(votes.votes == NO_VOTE, 2, 1))
    said = np.where(votes.lost, -1, said)
    if times is not None:
        said, times = said[times > 0], times[times > 0]
    patterns, inverse = np.unique(said, axis=0, return_inverse=True)
    counts = np.bincount(inverse.ravel(), times)
    seen = (patterns[:, :, None] == np.arange(3)).astype(np.float64)
    data = _Data(seen.reshape(len(patterns), -1), counts.astype(np.float64))
    rng = np.random.default_rng(seed)
    best: _Fit | None = None
    for number in range(1, _MOST_CLASSES + 1) if classes is None else [classes]:
        fit = data.fit(number, rng)
        if best is None or fit.bic < best.bic:
            best = fit
        elif number > len(best.shares) + 1:
            break
    assert best is not None
    order = np.argsort(-best.shares, kind="stable")
    table = best.votes[order].reshape(len(order), -1, 3)
    table /= table.sum(axis=2, keepdims=True)
    return VoteModel(
        classes=tuple(map(float, best.shares[order])),
        votes={
            juror: tuple((float(u), float(s), float(n)) for u, s, n in table[:, at])
            for at, juror in enumerate(votes.jurors)
        },
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    """Shares of the classes (c), chances of votes (c x 3 k), and how well they fit."""

    shares: Floats
    votes: Floats
    likelihood: float
    bic: float = 0.0


@dataclass(frozen=True, slots=True)
class _Data:
    """Patterns of votes (p x 3 k, 0 or 1) and how often each was seen (p)."""

    seen: Floats
    counts: Floats

    def fit(self, classes: int, rng: np.random.Generator) -> _Fit:
        """Fit so many classes: the best of a few starts."""
        cases = self.counts.sum()
        starts = [self._start(classes, rng) for _ in range(_STARTS if classes > 1 else 1)]
        best = max((self._climb(start, _SHORT) for start in starts), key=lambda fit: fit.likelihood)
        best = self._climb(self._maximize(self._belonging(best)[0]), _LONG)
        said = (self.counts @ self.seen).reshape(-1, 3) > 0
        free = classes * int(np.maximum(said.sum(axis=1) - 1, 0).sum()) + classes - 1
        return _Fit(
            best.shares, best.votes, best.likelihood, -2 * best.likelihood + free * np.log(cases)
        )

    def _start(self, classes: int, rng: np.random.Generator) -> _Fit:
        return self._maximize(rng.dirichlet(np.full(classes, 0.5), len(self.counts)))

    def _climb(self, fit: _Fit, steps: int) -> _Fit:
        last = -float("inf")
        for _ in range(steps):
            belonging, likelihood = self._belonging(fit)
            if likelihood - last < _ENOUGH * self.counts.sum():
                break
            last = likelihood
            fit = self._maximize(belonging)
        likelihood = self._belonging(fit)[1]
        return _Fit(fit.shares, fit.votes, likelihood)

    def _belonging(self, fit: _Fit) -> tuple[Floats, float]:
        """Return how likely each pattern is of each class (p x c), and the log likelihood."""
        joint = self.seen @ np.log(fit.votes).T + np.log(fit.shares)
        top = joint.max(axis=1, keepdims=True)
        joint = np.exp(joint - top)
        total = joint.sum(axis=1, keepdims=True)
        return joint / total, float(self.counts @ (top + np.log(total))[:, 0])

    def _maximize(self, belonging: Floats) -> _Fit:
        """Return the classes to which patterns belong so."""
        weights = belonging * self.counts[:, None]
        size = weights.sum(axis=0)
        shares = (size + 1) / (size.sum() + len(size))
        votes = (weights.T @ self.seen).reshape(len(size), -1, 3)
        average = (self.counts @ self.seen).reshape(-1, 3) + 0.5
        average /= average.sum(axis=1, keepdims=True)
        votes += _PRIOR * average
        votes /= votes.sum(axis=2, keepdims=True)
        return _Fit(shares, votes.reshape(len(size), -1), 0.0)
