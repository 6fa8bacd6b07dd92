"""The joint model of a jury's votes, and what stopping early saves on recorded votes."""

import numpy as np
import pytest
from numpy.typing import NDArray

from safejury.deliberation import Rule
from safejury.deliberation.protocol.card import JurorWeights, LogisticModel
from safejury.evaluation.trust import NO_VOTE, SAFE, UNSAFE, VoteTable
from safejury.evaluation.trust.sequential import fit_joint, stop_early

JURORS = ("alpha", "bravo", "charlie", "delta", "echo")


def table(votes: NDArray[np.int8], lost: NDArray[np.bool_] | None = None) -> VoteTable:
    names = tuple(str(number) for number in range(len(votes)))
    nothing = np.zeros_like(votes)
    return VoteTable(
        JURORS[: votes.shape[1]],
        names,
        names,
        votes,
        nothing,
        nothing.astype(np.bool_) if lost is None else lost,
    )


def planted(cases: int, seed: int) -> VoteTable:
    """Three kinds of cases: safe, unsafe, and safe ones that alpha, bravo and charlie take for
    unsafe together, so that their errors depend on each other."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, cases, p=[0.8, 0.12, 0.08])
    chances = np.array(
        [[0.03, 0.03, 0.03, 0.05, 0.05], [0.9, 0.8, 0.8, 0.85, 0.8], [0.9, 0.9, 0.9, 0.05, 0.05]]
    )
    votes = (rng.random((cases, 5)) < chances[kind]).astype(np.int8)
    votes[rng.random(votes.shape) < 0.03] = NO_VOTE
    return table(votes)


def test_the_model_finds_the_kinds_of_cases_without_a_label() -> None:
    model = fit_joint(planted(4000, 1))
    assert len(model.classes) == 3
    assert model.classes == pytest.approx((0.8, 0.12, 0.08), abs=0.03)
    assert model.votes["alpha"][2][0] == pytest.approx(0.9 * 0.97, abs=0.04)
    assert model.votes["echo"][2][0] == pytest.approx(0.05, abs=0.04)
    assert model.votes["delta"][0][2] == pytest.approx(0.03, abs=0.01)


def test_jurors_that_vote_independently_need_one_class() -> None:
    rng = np.random.default_rng(2)
    votes = (rng.random((1000, 3)) < [0.1, 0.2, 0.3]).astype(np.int8)
    assert fit_joint(table(votes)).classes == (1.0,)


def test_lost_ballots_are_missing_and_say_nothing() -> None:
    """Losing half of a juror's ballots at random moves its chances little; none is no vote."""
    whole = planted(4000, 3)
    lost = np.zeros(whole.votes.shape, np.bool_)
    lost[:, 0] = np.random.default_rng(4).random(4000) < 0.5
    votes = np.where(lost, NO_VOTE, whole.votes).astype(np.int8)
    model, of_whole = fit_joint(table(votes, lost)), fit_joint(whole)
    assert model.classes == pytest.approx(of_whole.classes, abs=0.03)
    assert np.allclose(model.votes["alpha"], of_whole.votes["alpha"], atol=0.05)


def test_the_fit_is_the_same_again_and_all_chances_are_chances() -> None:
    votes = planted(500, 5)
    model = fit_joint(votes)
    assert fit_joint(votes) == model
    assert sum(model.classes) == pytest.approx(1)
    for rows in model.votes.values():
        assert len(rows) == len(model.classes)
        assert all(sum(row) == pytest.approx(1) and min(row) > 0 for row in rows)


MODEL = LogisticModel(
    intercept=-1.0,
    weights={name: JurorWeights(0.9, -0.7, 0.1) for name in JURORS},
    threshold=0.5,
)


@pytest.mark.parametrize("by", [MODEL, Rule("majority"), Rule("any")], ids=["sum", "half", "any"])
def test_stopping_early_on_other_cases_saves_calls_and_changes_hardly_a_finding(
    by: LogisticModel | Rule,
) -> None:
    held = planted(3000, 6)
    early = stop_early(held, by, fit_joint(planted(3000, 7)), bound=0.002)
    assert (early.findings != early.of_all).mean() <= 0.002
    assert early.asked.mean() < 0.8 * 5
    assert (early.asked >= 1).all()
    lossless = stop_early(held, by, fit_joint(planted(3000, 7)), bound=0.0)
    assert (lossless.findings == lossless.of_all).all()
    assert early.asked.mean() <= lossless.asked.mean() < 5


def test_what_asking_all_finds_is_what_the_rule_finds() -> None:
    votes = planted(400, 8)
    early = stop_early(votes, Rule("majority"), fit_joint(votes), bound=0.0)
    unsafe, safe = ((votes.votes == said).sum(axis=1) for said in (UNSAFE, SAFE))
    found = np.where(unsafe >= 3, UNSAFE, np.where(safe >= 3, SAFE, NO_VOTE))
    assert (early.of_all == found).all()


def test_lost_ballots_are_asked_for_and_never_a_finding_alone() -> None:
    votes = np.full((1, 3), NO_VOTE, np.int8)
    few = table(votes, np.ones((1, 3), np.bool_))
    early = stop_early(few, Rule("majority"), fit_joint(planted(300, 9)), bound=0.1)
    assert early.findings.tolist() == [NO_VOTE]
