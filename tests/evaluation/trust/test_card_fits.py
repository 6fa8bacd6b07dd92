"""What a card is fitted to, and what not: models against others' and against planted truths."""

from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from jury_votes import card_of, labels_of, planted, recorded, vote_table

from safejury.evaluation.trust import NO_VOTE, SAFE, UNSAFE, Labels, VoteTable
from safejury.evaluation.trust.fit import (
    Design,
    Labeled,
    apply_model,
    cross_validate,
    fit_calibrated,
    fit_dawid_skene,
    fit_logistic,
    vote_shares,
)

JURORS = [(0.9, 0.9), (0.7, 0.95), (0.8, 0.7)]
OF_CROWD_KIT = {
    "gpt4": (0.925340, 0.196040),
    "rule_based": (0.987993, 0.160593),
    "string_match": (0.941925, 0.010781),
}
"""Chances of an unsafe vote on unsafe and on safe cases of xstest.jsonl, by DawidSkene of
crowd-kit 1.4.2 after 3,000 steps (n_iter=3000, tol=-1e18), which leaves out ballots that are no
vote."""
UNSAFE_BY_CROWD_KIT = 0.592808


def _data(votes: VoteTable, labels: Labels) -> Labeled:
    groups = np.unique(votes.groups, return_inverse=True)[1]
    rows = np.flatnonzero(labels.values != -1)
    return Labeled(votes, rows, labels.values == UNSAFE, np.ones(len(groups)), groups)


def test_the_ridge_is_that_of_scikit_learn() -> None:
    """The same weights, whether patterns are counted or cases repeated."""
    random = np.random.default_rng(1)
    columns = random.integers(-1, 2, (40, 6)).astype(np.float64)
    unsafe = random.integers(0, 5, 40).astype(np.float64)
    safe = random.integers(0, 9, 40).astype(np.float64)
    for strength in (0.02, 1.0, 100.0):
        intercept, weights = fit_logistic(columns, unsafe, safe, strength)
        theirs: Any = import_module("sklearn.linear_model").LogisticRegression(
            C=strength, tol=1e-10, max_iter=10_000
        )
        theirs.fit(
            np.vstack([columns, columns]),
            np.repeat([1, 0], 40),
            sample_weight=np.concatenate([unsafe, safe]),
        )
        assert weights == pytest.approx(theirs.coef_[0], abs=1e-5)
        assert intercept == pytest.approx(theirs.intercept_[0], abs=1e-5)


def test_dawid_and_skene_is_that_of_crowd_kit() -> None:
    """On recorded votes, without smoothing."""
    votes, _ = recorded("xstest")
    cast = vote_shares(votes)
    cast[..., 2] = False
    fitted = fit_dawid_skene(cast, smoothing=0, gain=1e-9)
    assert fitted.classes[0] == pytest.approx(UNSAFE_BY_CROWD_KIT, abs=1e-5)
    for at, name in enumerate(votes.jurors):
        assert fitted.votes[at, :, 0] == pytest.approx(OF_CROWD_KIT[name], abs=1e-5)


def test_dawid_and_skene_finds_what_was_planted() -> None:
    """Shares of classes, and of votes; a ballot that is no vote is a third thing to say."""
    random = np.random.default_rng(2)
    votes, truth = planted(random, 6000, JURORS, rate=0.25)
    votes[(truth == UNSAFE) & (random.random(6000) < 0.4), 1] = NO_VOTE
    fitted = fit_dawid_skene(vote_shares(vote_table(votes)))
    assert fitted.classes[0] == pytest.approx(0.25, abs=0.03)
    assert fitted.votes[0] == pytest.approx(np.array([[0.9, 0.1, 0], [0.1, 0.9, 0]]), abs=0.04)
    assert fitted.votes[1, :, 2] == pytest.approx((0.4, 0.0), abs=0.06)


def test_a_lost_ballot_says_nothing() -> None:
    """Of a juror whose ballots were lost on unsafe cases alone, the fits learn nothing from it."""
    random = np.random.default_rng(3)
    votes, truth = planted(random, 800, JURORS)
    votes[truth == UNSAFE, 1] = NO_VOTE
    gone = np.zeros(votes.shape, np.bool_)
    gone[:, 1] = votes[:, 1] == NO_VOTE
    told = card_of(vote_table(votes), labels_of(truth)).models
    lost = card_of(vote_table(votes, lost=gone), labels_of(truth)).models
    assert told.calibrated
    assert lost.calibrated
    assert told.calibrated.weights["juror 1"].no_vote > 0.2
    assert lost.calibrated.weights["juror 1"].no_vote == 0
    assert told.dawid_skene
    assert lost.dawid_skene
    assert told.dawid_skene.votes["juror 1"][0][2] > 0.8
    assert lost.dawid_skene.votes["juror 1"][0][2] < 0.01


def test_labels_that_are_noise_are_not_learned() -> None:
    """Seven jurors who say nothing of the labels find nothing out of fold."""
    random = np.random.default_rng(4)
    votes = random.integers(0, 2, (150, 7)).astype(np.int8)
    labels = labels_of(random.permutation(np.repeat([1, 0], 75)))
    card = card_of(vote_table(votes), labels, repeats=2)
    for name in ("calibrated", "best_juror"):
        kappa = card.rules[name].kappa
        assert kappa.value is not None
        assert abs(kappa.value) < 0.15
    assert card.reliability
    assert card.reliability.brier.value == pytest.approx(0.25, abs=0.02)


def test_what_is_found_of_a_fold_hangs_on_the_other_folds_alone() -> None:
    """Models fitted again with that fold's labels turned round find the same of it."""
    votes, truth = planted(np.random.default_rng(5), 150, JURORS, none=0.05)
    table = vote_table(votes, groups=[at // 3 for at in range(150)])
    data = _data(table, labels_of(truth))
    found = cross_validate(data, cost=None, repeats=2, folds=5, seed=0, without_repeats=1)
    design = Design.of(table)
    for repeat in range(2):
        for fold, model in found.models[repeat].items():
            out = found.folds[repeat] == fold
            assert not {*data.groups[out].tolist()} & {*data.groups[~out].tolist()}
            turned = replace(data, unsafe=np.where(out, ~data.unsafe, data.unsafe))
            seed = (0, 2, repeat, fold)
            again = fit_calibrated(design, turned.training(data.rows[~out]), cost=None, seed=seed)
            assert again == model
            findings, _ = apply_model(again, table)
            assert (findings[out] == found.calibrated[repeat, out]).all()


def test_the_best_juror_is_chosen_without_hindsight() -> None:
    """Of jurors who are equally good, the one that is best on the rest is not so here."""
    random = np.random.default_rng(6)
    votes, truth = planted(random, 60, [(0.7, 0.7)] * 6, rate=0.5)
    card = card_of(vote_table(votes), labels_of(truth), repeats=5)
    best = max(scores.f1.value or 0 for scores in card.jurors.values())
    chosen = card.rules["best_juror"]
    assert chosen.cross_validated
    assert chosen.f1.value is not None
    assert chosen.f1.value < best - 0.02


def test_unlabeled_cases_serve_the_models_that_need_no_labels() -> None:
    """They change Dawid and Skene's, and leave what labels say as it was."""
    random = np.random.default_rng(7)
    votes, truth = planted(random, 100, JURORS)
    more, _ = planted(random, 900, JURORS)
    alone = card_of(vote_table(votes), labels_of(truth))
    both = card_of(vote_table(np.vstack([votes, more])), labels_of([*truth.tolist(), *[-1] * 900]))
    assert both.labels == alone.labels
    assert both.models.calibrated == alone.models.calibrated
    assert both.rules["calibrated"].f1.value == alone.rules["calibrated"].f1.value
    assert both.models.dawid_skene != alone.models.dawid_skene
    assert both.models.dawid_skene
    assert both.models.dawid_skene.classes[0] == pytest.approx(0.3, abs=0.06)


def test_ratings_are_used_where_they_help() -> None:
    """Where they tell sure votes from doubtful ones, and not where they are drawn by lot."""
    random = np.random.default_rng(8)
    votes, truth = planted(random, 500, [(0.8, 0.8)] * 3)
    sure = (votes == truth[:, None]) & (random.random(votes.shape) < 0.8)
    telling = np.where(votes == UNSAFE, np.where(sure, 1, 2), np.where(sure, 5, 4))
    idle = np.where(votes == SAFE, random.integers(3, 6, votes.shape), random.integers(1, 4))
    labels = labels_of(truth)
    helped = card_of(vote_table(votes, ratings=telling), labels)
    plain = card_of(vote_table(votes, ratings=idle), labels)
    assert helped.models.calibrated
    assert plain.models.calibrated
    assert all(of.rating > 0 for of in helped.models.calibrated.weights.values())
    assert all(of.rating == 0 for of in plain.models.calibrated.weights.values())
    better, worse = helped.rules["calibrated"].f1.value, plain.rules["calibrated"].f1.value
    assert better is not None
    assert worse is not None
    assert better > worse + 0.02
