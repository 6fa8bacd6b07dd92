"""The charts, each from a leaderboard."""

from ._bars import leaderboard_bars
from ._heat import category_map, scenario_map
from ._radar import category_radar

__all__ = ["category_map", "category_radar", "leaderboard_bars", "scenario_map"]
