"""All figures of a leaderboard, in the order in which they are read."""

from collections.abc import Callable, Collection
from types import MappingProxyType

from ...common import ConfigurationError
from ...common.text import did_you_mean
from ..leaderboard import Leaderboard
from ._figure import Figure, Figures, LeftOut
from .charts import category_map, category_radar, leaderboard_bars, scenario_map

FIGURES = MappingProxyType[str, Callable[[Leaderboard], Figure | LeftOut]](
    {
        "leaderboard": leaderboard_bars,
        "categories": category_map,
        "scenarios": scenario_map,
        "radar": category_radar,
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
