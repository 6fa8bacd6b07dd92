"""Jury cards written by hand, as `safejury calibrate` would make them."""

from collections.abc import Mapping

from safejury.deliberation import Cost, JuryCard
from safejury.deliberation.protocol.card import (
    CardJury,
    CardSeat,
    Dependence,
    Figure,
    JurorWeights,
    LabelsUsed,
    LogisticModel,
    Models,
)

UNKNOWN = Figure(None, None)


def hand_card(
    weights: Mapping[str, tuple[float, float, float] | tuple[float, float, float, float]],
    *,
    intercept: float = 0.0,
    threshold: float = 0.5,
    cost: Cost | None = None,
    best: str | None = None,
    jury: CardJury | None = None,
    made: str = "2026-11-27",
) -> JuryCard:
    """Return a card whose jurors weigh what is said: unsafe, safe, no vote, and the rating."""
    model = LogisticModel(
        intercept=intercept,
        weights={name: JurorWeights(*each) for name, each in weights.items()},
        threshold=threshold,
        cost=cost,
    )
    seats = tuple(CardSeat(name) for name in weights)
    return JuryCard(
        format=1,
        jury=jury or CardJury(sha256="", source="ballots", seats=seats),
        labels=LabelsUsed(cases=120, unsafe=30, groups=40),
        jurors={},
        rules={},
        dependence=Dependence(effective_jurors=UNKNOWN, alpha=UNKNOWN),
        models=Models(best_juror=best or next(iter(weights)), calibrated=model),
        made=made,
    )
