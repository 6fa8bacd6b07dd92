"""Intervals, agreement and dependence: against values by hand, and how often they are right."""

import numpy as np
import pytest
from jury_votes import card_of, labels_of, planted, vote_table

from safejury.common import krippendorff_alpha
from safejury.evaluation.trust import UNSAFE
from safejury.evaluation.trust.score import Resampling, Tally, minus, scores_of

TRUTH = [1, 0] * 62 + [1]


def test_agreement_is_that_of_the_published_example() -> None:
    """118 times both say yes, 5 times the first alone, 2 times the second; never both no.

    Source: K. L. Gwet, "Inter-rater reliability: dependency on trait prevalence and marginal
    homogeneity", Statistical Methods for Inter-Rater Reliability Assessment 2 (2002).
    """
    given = [[1, 1]] * 118 + [[1, 0]] * 5 + [[0, 1]] * 2
    votes = vote_table([[value, value, 1 - value] for value in TRUTH])
    labels = labels_of(TRUTH, annotators=("a", "b"), given=np.array(given, np.int8))
    agreement = card_of(votes, labels).labels.agreement
    assert agreement["raw"].value == pytest.approx(118 / 125)
    assert agreement["ac1"].value == pytest.approx(0.9408, abs=5e-5)
    assert agreement["kappa"].value == pytest.approx(-0.0234, abs=5e-5)
    assert agreement["alpha"].value == pytest.approx(krippendorff_alpha(given, "nominal"))


def test_three_annotators_and_labels_that_are_missing() -> None:
    """Kappa is the mean of pairs by the cases of both; a case with one label counts for none."""
    given = [[1, 1, -1]] * 20 + [[0, 0, 0]] * 60 + [[1, 0, -1]] * 20 + [[-1, -1, 1]] * 25
    votes = vote_table([[value, value, 1 - value] for value in TRUTH])
    labels = labels_of(TRUTH, annotators=("a", "b", "c"), given=np.array(given, np.int8))
    agreement = card_of(votes, labels).labels.agreement
    assert agreement["raw"].value == pytest.approx(0.8)
    first_two = (0.8 - (0.4 * 0.2 + 0.6 * 0.8)) / (1 - (0.4 * 0.2 + 0.6 * 0.8))
    assert agreement["kappa"].value == pytest.approx(first_two)  # of the others one said one thing


def test_dependence_is_that_of_the_errors() -> None:
    """By hand: two who err together in 8 of 12 errors each, of 100 cases; a third errs alone."""
    errors = np.zeros((100, 3), np.bool_)
    errors[:12, 0] = errors[4:16, 1] = errors[50:60, 2] = True
    truth = np.array([1, 0] * 50)
    votes = vote_table(np.where(errors, 1 - truth[:, None], truth[:, None]))
    dependence = card_of(votes, labels_of(truth)).dependence
    phi = (100 * 8 - 12 * 12) / (12 * 88)
    alone = -12 * 10 / np.sqrt(12 * 88 * 10 * 90)
    assert dependence.pairs["juror 0"]["juror 1"] == pytest.approx(phi)
    assert dependence.pairs["juror 2"]["juror 1"] == pytest.approx(alone)
    rho = (phi + 2 * alone) / 3
    assert dependence.error_correlation
    assert dependence.error_correlation.value == pytest.approx(rho)
    assert dependence.effective_jurors.value == pytest.approx(3 / (1 + 2 * rho))
    assert dependence.alpha.value == pytest.approx(
        krippendorff_alpha(votes.votes.tolist(), "nominal")
    )
    interval = dependence.effective_jurors.interval
    assert interval is not None
    assert 1 <= interval[0] < interval[1] <= 3


def test_jurors_who_are_one_are_worth_one() -> None:
    """Five times the same votes."""
    votes, truth = planted(np.random.default_rng(1), 200, [(0.8, 0.8)])
    dependence = card_of(vote_table(np.repeat(votes, 5, axis=1)), labels_of(truth)).dependence
    assert dependence.effective_jurors.value == pytest.approx(1)
    assert dependence.alpha.value == pytest.approx(1)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of planted jurors, whose errors go together within queries; 95 % is meant."""
    random = np.random.default_rng(2)
    runs, held = 150, np.zeros(4)
    true_f1 = 2 * 0.8 * 0.2 / (0.8 * 0.2 + 0.05 * 0.8 + 0.2)
    for run in range(runs):
        groups = np.repeat(np.arange(60), 5)
        truth = random.random(300) < 0.2
        mood = random.beta([8, 4.75], [2, 0.25], (60, 2))[groups]  # sensitivity, specificity
        right, other_right = (
            random.random(300) < np.where(truth, mood[:, 0], mood[:, 1]) for _ in range(2)
        )
        resampling = Resampling([f"{group:02}" for group in groups], 300, run)
        one, two = (
            Tally.of(np.where(it, truth, ~truth).astype(np.int8), truth, np.ones(300), resampling)
            for it in (right, other_right)
        )
        scores, difference = scores_of(one), minus(one, two)["f1"]
        figures = (scores.sensitivity, scores.specificity, scores.f1, difference)
        for at, (figure, of) in enumerate(zip(figures, (0.8, 0.95, true_f1, 0.0), strict=True)):
            assert figure.interval is not None
            held[at] += figure.interval[0] <= of <= figure.interval[1]
    assert (held / runs > 0.9).all(), held / runs
    assert (held / runs < 1).any()


def test_cases_of_one_query_are_no_independent_cases() -> None:
    """Ten times the same case say as much as one."""
    votes, truth = planted(np.random.default_rng(3), 80, [(0.75, 0.75)] * 3, rate=0.5)
    single = card_of(vote_table(votes), labels_of(truth))
    tenfold = card_of(
        vote_table(np.repeat(votes, 10, axis=0), groups=np.repeat(np.arange(80), 10).tolist()),
        labels_of(np.repeat(truth, 10)),
        repeats=1,
    )
    one, ten = single.jurors["juror 0"], tenfold.jurors["juror 0"]
    assert ten.design_effect == pytest.approx((10, 10), rel=0.1)
    for name in ("sensitivity", "specificity"):
        narrow, wide = getattr(ten, name).interval, getattr(one, name).interval
        assert narrow == pytest.approx(wide, abs=0.02)


def test_few_differences_that_point_one_way_are_no_gain() -> None:
    """Four cases that one gets right and the other wrong may be chance; twelve are not."""
    truth = np.array([UNSAFE] * 40 + [0] * 60)

    def gain(cases: int) -> tuple[float, float]:
        votes = np.stack([truth, truth, truth], axis=1)
        votes[:10, :] = 0
        votes[10 : 10 + cases, 1:] = 0
        card = card_of(vote_table(votes), labels_of(truth), resamples=2000)
        interval = card.rules["majority"].minus_best_juror["f1"].interval
        assert interval is not None
        return interval

    assert gain(4)[1] >= 0
    assert gain(12)[1] < 0
