"""Dawid and Skene's model: what the jurors' votes say of the truth, and of them, without labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....deliberation.protocol.card import VoteModel
from .._votes import NO_VOTE, SAFE, UNSAFE, VoteTable

FloatArray = NDArray[np.float64]
_SYMBOLS = (UNSAFE, SAFE, NO_VOTE)
_MOST_STEPS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class DawidSkene:
    """A fitted model.

    Attributes:
        classes: Shares of unsafe and of safe cases.
        votes: Jurors by class by symbol: the chances of an unsafe vote, a safe one, and none.
    """

    classes: FloatArray
    votes: FloatArray

    def probabilities(self, cast: NDArray[np.bool_]) -> FloatArray:
        """Return the probability that each case is unsafe.

        Args:
            cast: Cases by jurors by symbol, see `vote_shares`.
        """
        return _posterior(cast.astype(np.float64), self.classes, self.votes)[0][:, 0]

    @classmethod
    def of(cls, model: VoteModel, jurors: Sequence[str]) -> "DawidSkene":
        """Return the model of a card."""
        return cls(np.array(model.classes), np.array([model.votes[name] for name in jurors]))


def vote_shares(votes: VoteTable) -> NDArray[np.bool_]:
    """Return cases by jurors by symbol: which it was; none of them where a ballot was lost."""
    cast = np.stack([votes.votes == symbol for symbol in _SYMBOLS], axis=2)
    cast[..., 2] &= ~votes.lost
    return cast


def fit_dawid_skene(
    cast: NDArray[np.bool_],
    times: FloatArray | None = None,
    *,
    smoothing: float = 1.0,
    gain: float = 1e-4,
) -> DawidSkene:
    """Fit the model by expectation maximization, beginning with the share of unsafe votes.

    Source: A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates
    using the EM algorithm", Appl. Stat. 28 (1979) 20-28.

    Args:
        cast: Cases by jurors by symbol, see `vote_shares`.
        times: How many cases each row stands for, 0 or more; one each unless given.
        smoothing: As many cases of each class are imagined in which each juror votes as it does
            over all; 0 is maximum likelihood.
        gain: It ends when the log likelihood grows by less in a step.
    """
    if times is None:
        flat, counts = np.unique(cast.reshape(len(cast), -1), axis=0, return_counts=True)
        cast, times = flat.reshape(-1, *cast.shape[1:]), counts.astype(np.float64)
    x, n = cast[times > 0].astype(np.float64), times[times > 0]
    overall = _normalized((x * n[:, None, None]).sum(axis=0) + 1e-10)
    votes = x[..., :2].sum(axis=(1, 2))
    unsafe = np.divide(x[..., 0].sum(axis=1), votes, out=np.full(len(x), 0.5), where=votes > 0)
    belief = np.column_stack([unsafe, 1 - unsafe])
    before, classes, chances = -np.inf, belief[0], overall[:, None, :]
    for _ in range(_MOST_STEPS):
        weighed = belief * n[:, None]
        classes = _normalized(weighed.sum(axis=0) + smoothing)
        chances = np.einsum("pc,pjs->jcs", weighed, x) + smoothing * overall[:, None, :]
        chances = _normalized(np.maximum(chances, 1e-10))
        belief, likelihood = _posterior(x, classes, chances)
        now = float(n @ likelihood)
        if now - before < gain:
            break
        before = now
    if chances[:, 0, 0].sum() < chances[:, 1, 0].sum():  # the class that jurors flag is the unsafe
        classes, chances = classes[::-1], chances[:, ::-1]
    return DawidSkene(classes, chances)


def latent_findings(belief: FloatArray, found: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the likelier finding of each case, and none where no juror voted.

    Args:
        belief: Probability that each case is unsafe.
        found: Votes, cases by jurors.
    """
    likelier = np.where(belief > 0.5, UNSAFE, SAFE)
    return np.where((found != NO_VOTE).any(axis=1), likelier, NO_VOTE).astype(np.int8)


def dawid_skene_model(fitted: DawidSkene, jurors: Sequence[str]) -> VoteModel:
    """Return the model as a card holds it."""
    unsafe, safe = fitted.classes.tolist()
    return VoteModel(
        classes=(unsafe, safe),
        votes={
            name: tuple((a, b, c) for a, b, c in fitted.votes[at].tolist())
            for at, name in enumerate(jurors)
        },
    )


def _posterior(
    x: FloatArray, classes: FloatArray, chances: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the belief in each class, and the log likelihood, of each pattern."""
    logs = np.log(classes) + np.einsum("pjs,jcs->pc", x, np.log(np.maximum(chances, 1e-300)))
    highest = logs.max(axis=1, keepdims=True)
    shares = np.exp(logs - highest)
    total = shares.sum(axis=1, keepdims=True)
    return shares / total, (highest + np.log(total))[:, 0]


def _normalized(values: FloatArray) -> FloatArray:
    return values / values.sum(axis=-1, keepdims=True)
