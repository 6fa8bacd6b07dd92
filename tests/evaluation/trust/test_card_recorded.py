"""Cards of recorded verdicts: figures that no change may lose."""

import pytest
from jury_votes import card_of, recorded

from safejury.deliberation.protocol.card import JuryCard

OMNI, BEST = "omni-moderation-latest", "gemini-1.5-pro"


def _card(name: str, *without: str) -> JuryCard:
    return card_of(*recorded(name, without=without), repeats=10, resamples=1000)


def _f1(card: JuryCard, rule: str) -> float:
    value = card.rules[rule].f1.value
    assert value is not None
    return value


def _saves(card: JuryCard, most_calls: float) -> None:
    """Hold what stopping early must save, and what it may lose."""
    sequential = card.sequential
    assert sequential is not None
    lost = sequential.minus_all["f1"].value
    assert sequential.calls.value is not None
    assert sequential.changed.value is not None
    assert lost is not None
    assert sequential.calls.value <= most_calls
    assert sequential.changed.value <= 0.002
    assert lost >= -0.01


@pytest.mark.slow
def test_seven_jurors_and_one_more_that_judges_the_question() -> None:
    """A bad juror costs little; the gain over a majority is certain, over the best juror not."""
    seven, eight = _card("msts", OMNI), _card("msts")
    assert seven.models.best_juror == BEST
    assert _f1(seven, "best_juror") == pytest.approx(0.650, abs=5e-4)
    assert _f1(seven, "majority") == pytest.approx(0.441, abs=5e-4)
    assert _f1(seven, "calibrated") >= 0.635
    gain = seven.rules["calibrated"].minus_majority["f1"].interval
    over_best = seven.rules["calibrated"].minus_best_juror["f1"].interval
    assert gain is not None
    assert over_best is not None
    assert gain[0] > 0
    assert over_best[0] < 0 < over_best[1]
    assert _f1(eight, "majority") == pytest.approx(0.348, abs=5e-4)
    assert _f1(eight, "calibrated") >= _f1(seven, "calibrated") - 0.01
    _saves(seven, 0.30)
    _saves(eight, 0.30)
    worth = seven.dependence.effective_jurors.value
    assert worth is not None
    assert 1.5 < worth < 2.5
    kappa = seven.labels.agreement["kappa"].value
    assert kappa == pytest.approx(0.746, abs=5e-4)


@pytest.mark.slow
def test_six_jurors_without_the_best() -> None:
    """The jury is not worth less than its best."""
    six = _card("msts", OMNI, BEST)
    assert _f1(six, "best_juror") == pytest.approx(0.538, abs=5e-4)
    assert _f1(six, "majority") == pytest.approx(0.301, abs=5e-4)
    assert _f1(six, "calibrated") >= 0.525
    _saves(six, 0.55)


@pytest.mark.slow
def test_three_jurors_of_text() -> None:
    """Where the best juror is a match of strings."""
    three = _card("xstest")
    assert _f1(three, "best_juror") == pytest.approx(0.887, abs=5e-4)
    assert _f1(three, "majority") == pytest.approx(0.863, abs=5e-4)
    assert _f1(three, "calibrated") >= 0.88
    _saves(three, 0.53)
