"""Makes jury cards from votes and labels, and scores a card on other votes and labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...common import ConfigurationError
from ...deliberation.protocol.card import (
    FORMAT,
    CardJury,
    Cost,
    CurvePoint,
    DecidedBy,
    Figure,
    JuryCard,
    Models,
    calibrated_model,
)
from ._card_cases import labeled_cases, labels_used, seated
from ._card_rules import (
    RuleFindings,
    by_card,
    by_folds,
    rule_scores,
    tallies,
    tally_of,
    with_votes,
)
from ._card_sequential import Stopped, sequential_scores, stopped_by_card, stopped_by_folds
from ._decided import Decided
from ._labels_table import Labels
from ._one_thread import one_thread
from ._votes import VoteTable
from .fit import (
    CrossValidated,
    Design,
    Labeled,
    apply_model,
    best_juror,
    cross_validate,
    dawid_skene_model,
    fit_calibrated,
    fit_dawid_skene,
    learning_curve,
    vote_shares,
)
from .score import Resampling, Tally, dependence, minus, reliability, scores_of
from .sequential import fit_joint

_FEW_REPEATS = 3
"""Of what is told beside the rules: what a juror brings, what more labels bring."""


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """Labeled cases, and resamples of them."""

    data: Labeled
    labels: Labels
    resampling: Resampling
    every: Resampling

    @classmethod
    def of(cls, votes: VoteTable, labels: Labels, resamples: int, seed: int) -> "_Measured":
        if resamples < 1:
            raise ConfigurationError(f"{resamples} resamples make no interval: use 1,000")
        data = labeled_cases(votes, labels)
        groups = [votes.groups[int(row)] for row in data.rows]
        return cls(
            data,
            labels,
            Resampling(groups, resamples, seed),
            Resampling(votes.groups, resamples, seed),
        )

    def tally(self, findings: NDArray[np.int8]) -> Tally:
        return tally_of(findings, self.data, self.resampling)


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

    What is fitted or chosen by labels (`calibrated` with its threshold, the best juror) is scored
    on groups of cases that it was not fitted on, and the figure is the mean of several ways to
    divide them. The models of the card are then fitted on all labeled cases.

    Args:
        votes: Of round 0; cases without a label serve the models that need none.
        labels: Of the same cases.
        jury: Whose votes they are.
        cost: What errors cost; without it, the threshold of `calibrated` maximizes F1.
        decided: What the run itself decided, scored as the rule `as_decided`.
        tie: How the rule `majority` decides a tie: `unsafe`, `safe`, or not at all.
        resamples: Resamples by group behind each interval.
        repeats: Times that the cases are divided into folds anew.
        folds: Folds of the cross-validation, by group; at least 2.
        seed: Of what is random, 0 or more.
        made: The date, as ISO 8601.

    Raises:
        ConfigurationError: There are too few labels, or of one class only; a juror never votes;
            or votes, labels or settings are not what they should be.
    """
    if repeats < 1 or folds < 2:
        raise ConfigurationError(
            f"{repeats} repeats of {folds} folds are no cross-validation: use 10 repeats of 5"
        )
    with one_thread():
        measured = _Measured.of(votes, labels, resamples, seed)
        data = measured.data
        found = cross_validate(
            data,
            cost=cost,
            repeats=repeats,
            folds=folds,
            seed=seed,
            without_repeats=_FEW_REPEATS,
        )
        few = min(repeats, _FEW_REPEATS)
        curve = learning_curve(data, found, cost=cost, repeats=few, seed=seed)
        points = ((size, measured.tally(findings)) for size, findings in curve.items())
        return _card(
            measured,
            with_votes(by_folds(found), data, tie, decided),
            found.probabilities,
            jury=jury,
            models=_models(data, cost, seed),
            stopped=stopped_by_folds(data, found, seed),
            without=_without(measured, found),
            learning_curve=tuple(CurvePoint(size, scores_of(tally).f1) for size, tally in points),
            made=made,
        )


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
        votes: Of round 0; jurors that the card does not know are left out.
        labels: Of the same cases.
        decided: What the run itself decided, scored as the rule `as_decided`.
        tie: How the rule `majority` decides a tie: `unsafe`, `safe`, or not at all.
        resamples: Resamples by group behind each interval.
        seed: Of what is random, 0 or more.

    Raises:
        ConfigurationError: A juror of the card has no votes, the card has no models, or there are
            too few labels.
    """
    with one_thread():
        model = calibrated_model(card)
        measured = _Measured.of(seated(votes, list(model.weights)), labels, resamples, seed)
        data = measured.data
        rules = with_votes(by_card(card, data), data, tie, decided)
        probabilities = apply_model(model, data.votes)[1][None, data.rows]
        return _card(
            measured,
            rules,
            probabilities,
            jury=card.jury,
            models=card.models,
            stopped=stopped_by_card(card, data),
        )


def _card(
    measured: _Measured,
    rules: dict[str, RuleFindings],
    probabilities: NDArray[np.float64],
    *,
    jury: CardJury,
    models: Models,
    stopped: Stopped | None,
    without: dict[str, Figure] | None = None,
    learning_curve: tuple[CurvePoint, ...] = (),
    made: str = "",
) -> JuryCard:
    data, resampling = measured.data, measured.resampling
    votes, rows = data.votes, data.rows
    unsafe, weights = data.unsafe[rows], data.weights[rows]
    if stopped is not None:
        by = DecidedBy("calibrated", "sequential", bound=stopped.bound)
        validated = rules["calibrated"].cross_validated
        rules = {**rules, "sequential": RuleFindings(stopped.findings, by, validated)}
    return JuryCard(
        format=FORMAT,
        jury=jury,
        labels=labels_used(data, measured.labels, measured.every),
        jurors={
            name: scores_of(measured.tally(votes.votes[rows, at]))
            for at, name in enumerate(votes.jurors)
        },
        rules=rule_scores(rules, tallies(rules, data, resampling)),
        dependence=dependence(
            votes, rows, measured.labels.values[rows], weights, resampling, measured.every
        ),
        sequential=None if stopped is None else sequential_scores(stopped, data, resampling),
        reliability=reliability(probabilities, unsafe, weights, resampling),
        without=without or {},
        learning_curve=learning_curve,
        models=models,
        made=made,
    )


def _models(data: Labeled, cost: Cost | None, seed: int) -> Models:
    """Fit the models of a card on all labeled cases, those without labels on all cases."""
    votes, design = data.votes, Design.of(data.votes)
    return Models(
        best_juror=votes.jurors[best_juror(data, data.rows)],
        calibrated=fit_calibrated(design, data.training(data.rows), cost=cost, seed=(seed,)),
        dawid_skene=dawid_skene_model(fit_dawid_skene(vote_shares(votes)), votes.jurors),
        joint=fit_joint(votes, seed=seed),
        costs=dict(votes.costs),
    )


def _without(measured: _Measured, found: CrossValidated) -> dict[str, Figure]:
    """Return what F1 of `calibrated` loses without each juror, over the same folds."""
    if not found.without:
        return {}
    few = len(next(iter(found.without.values())))
    whole = measured.tally(found.calibrated[:few])
    return {name: minus(whole, measured.tally(it))["f1"] for name, it in found.without.items()}
