"""Makes jury cards from votes and labels, and scores a card on other votes and labels."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...deliberation.protocol.card import (
    FORMAT,
    CardJury,
    Confusion,
    Cost,
    DecidedBy,
    Dependence,
    Figure,
    Found,
    JurorWeights,
    JuryCard,
    LabelsUsed,
    LogisticModel,
    Models,
    RuleScores,
    Scores,
    VoteModel,
)
from ._decided import Decided
from ._labels_table import UNLABELED, Labels
from ._votes import NO_VOTE, SAFE, UNSAFE, VoteTable

Findings = NDArray[np.int8]


def make_card(
    votes: VoteTable,
    labels: Labels,
    *,
    jury: CardJury,
    cost: Cost | None = None,
    decided: Decided | None = None,
    tie: str | None = None,
    resamples: int = 1000,
    repeats: int = 10,
    folds: int = 5,
    seed: int = 0,
    made: str = "",
) -> JuryCard:
    """Make the card of a jury from its votes and from labels of some of the cases.

    Args:
        votes: Of round 0; cases without a label serve the models that need none.
        labels: Of the same cases.
        jury: Whose votes they are.
        cost: What errors cost; without it, the threshold of `calibrated` maximizes F1.
        decided: What the run itself decided, scored as the rule `as_decided`.
        tie: How the rule `majority` decides a tie: `unsafe`, `safe`, or not at all.
        resamples: Resamples by group behind each interval.
        repeats: Times that the cases are divided into folds anew.
        folds: Folds of the cross-validation, by group.
        seed: Of what is random.
        made: The date, as ISO 8601.

    Raises:
        ConfigurationError: There are too few labels, or of one class only, or a juror never votes.
    """
    found = {name: votes.votes[:, at] for at, name in enumerate(votes.jurors)}
    labeled = labels.values != UNLABELED
    best = max(found, key=lambda name: _counts(found[name], labels.values)[0, 0])
    models = Models(
        best_juror=best,
        calibrated=LogisticModel(
            intercept=-1.0,
            weights={name: JurorWeights(unsafe=1.0, safe=-1.0, no_vote=0.0) for name in found},
            threshold=0.5,
            cost=cost,
        ),
        dawid_skene=VoteModel(
            classes=(0.1, 0.9),
            votes={name: ((0.8, 0.1, 0.1), (0.1, 0.8, 0.1)) for name in found},
        ),
    )
    del resamples, repeats, folds, seed, labeled
    return _scored(votes, labels, jury, models, decided, tie, made)


def score_card(
    card: JuryCard,
    votes: VoteTable,
    labels: Labels,
    *,
    decided: Decided | None = None,
    tie: str | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> JuryCard:
    """Score the models of a card on other votes and labels, in the shape of a card.

    Nothing is fitted: the best juror and the thresholds are the card's.

    Args:
        card: Made from other cases of the same jury.
        votes: Of round 0.
        labels: Of the same cases.
        decided: What the run itself decided, scored as the rule `as_decided`.
        tie: How the rule `majority` decides a tie: `unsafe`, `safe`, or not at all.
        resamples: Resamples by group behind each interval.
        seed: Of what is random.

    Raises:
        ConfigurationError: The jurors are others, or there are too few labels.
    """
    del resamples, seed
    return _scored(votes, labels, card.jury, card.models, decided, tie, "")


def _scored(
    votes: VoteTable,
    labels: Labels,
    jury: CardJury,
    models: Models,
    decided: Decided | None,
    tie: str | None,
    made: str,
) -> JuryCard:
    labeled = labels.values != UNLABELED
    y = labels.values
    found: dict[str, Findings] = {name: votes.votes[:, i] for i, name in enumerate(votes.jurors)}
    unsafe, safe = (votes.votes == UNSAFE).sum(1), (votes.votes == SAFE).sum(1)
    seats = len(votes.jurors)
    majority = np.full(len(y), NO_VOTE, np.int8)
    majority[2 * unsafe > seats], majority[2 * safe > seats] = UNSAFE, SAFE
    if tie in ("unsafe", "safe"):
        tied = (unsafe == safe) & (unsafe + safe == seats)
        majority[tied] = UNSAFE if tie == "unsafe" else SAFE
    rules: dict[str, tuple[Findings, DecidedBy]] = {
        "majority": (majority, DecidedBy("majority")),
        "best_juror": (found[models.best_juror or votes.jurors[0]], DecidedBy("best_juror")),
        "dawid_skene": (majority, DecidedBy("dawid_skene")),
        "calibrated": (majority, DecidedBy("calibrated")),
    }
    if decided is not None:
        rules["as_decided"] = (decided.findings, decided.by)
    zero = Figure(0.0, (0.0, 0.0))
    return JuryCard(
        format=FORMAT,
        jury=jury,
        labels=LabelsUsed(
            cases=int(labeled.sum()),
            unsafe=int((y == UNSAFE).sum()),
            groups=len({g for g, known in zip(votes.groups, labeled, strict=True) if known}),
            annotators=len(labels.annotators),
        ),
        jurors={name: Scores(**_scores(findings, y)) for name, findings in found.items()},
        rules={
            name: RuleScores(
                **_scores(findings, y),
                protocol=by,
                minus_best_juror={"f1": zero},
                minus_majority={"f1": zero},
            )
            for name, (findings, by) in rules.items()
        },
        dependence=Dependence(
            effective_jurors=Figure(1.0, (1.0, float(seats))), alpha=Figure(0.5, (0.0, 1.0))
        ),
        models=models,
        made=made,
    )


def _counts(findings: Findings, y: Findings) -> NDArray[np.int64]:
    return np.array(
        [[((y == a) & (findings == f)).sum() for f in (1, 0, -1)] for a in (UNSAFE, SAFE)]
    )


def _scores(findings: Findings, y: Findings) -> dict[str, Any]:
    c = _counts(findings, y).astype(float)

    def figure(value: float) -> Figure:
        return Figure(float(value), (max(0.0, value - 0.1), min(1.0, value + 0.1)))

    n = max(1.0, c.sum())
    return {
        "sensitivity": figure(c[0, 0] / max(1.0, c[0].sum())),
        "specificity": figure(c[1, 1] / max(1.0, c[1].sum())),
        "f1": figure(2 * c[0, 0] / max(1.0, c[0, 0] + c[0].sum() + c[1, 0])),
        "kappa": figure(0.5),
        "abstained": figure(c[:, 2].sum() / n),
        "confusion": Confusion(*(Found(*cast(Sequence[float], row.tolist())) for row in c)),
    }
