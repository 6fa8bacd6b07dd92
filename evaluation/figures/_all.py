"""All figures of a leaderboard, in the order in which they are read."""

from collections.abc import Callable, Collection
from types import MappingProxyType

from ...common import ConfigurationError
from ...common.text import did_you_mean
from ..leaderboard import Leaderboard
from . import charts
from ._figure import Figure, Figures, LeftOut

FIGURES = MappingProxyType[str, Callable[[Leaderboard], Figure | LeftOut]](
    {
        "leaderboard": charts.leaderboard_bars,
        "safety-index": charts.safety_bars,
        "over-refusal": charts.refusal_bars,
        "outcomes": charts.outcome_bars,
        "categories": charts.category_map,
        "scenarios": charts.scenario_map,
        "radar": charts.category_radar,
        "image-conditions": charts.image_bars,
        "sound-conditions": charts.sound_bars,
        "size": charts.size_scatter,
        "family": charts.family_dots,
        "backbone": charts.backbone_dots,
        "released": charts.release_scatter,
        "paper": charts.beside_paper,
        "contested": charts.contested_bars,
        "deliberation": charts.talk_effect,
        "agreement": charts.agreement_matrix,
        "reliability": charts.reliability_curve,
        "weights": charts.juror_weights,
        "cost": charts.cost_bars,
        "latency": charts.latency_bars,
    }
)
"""What makes each figure, by its name."""


def figures_of(leaderboard: Leaderboard, only: Collection[str] = ()) -> Figures:
    """Return the figures that there is data for; none is drawn yet.

    Args:
        leaderboard: The leaderboard.
        only: Names of figures; all unless given.

    Raises:
        ConfigurationError: There is no figure of one of the names.
    """
    for name in only:
        if name not in FIGURES:
            raise ConfigurationError(
                f"there is no figure {name!r}{did_you_mean(name, FIGURES)}: the figures are "
                f"{', '.join(FIGURES)}"
            )
    made = [make(leaderboard) for name, make in FIGURES.items() if not only or name in only]
    return Figures(
        [one for one in made if isinstance(one, Figure)],
        {one.name: one.why for one in made if isinstance(one, LeftOut)},
    )
