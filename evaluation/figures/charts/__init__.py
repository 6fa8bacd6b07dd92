"""The charts, each from a leaderboard."""

from ._bars import leaderboard_bars, refusal_bars, safety_bars
from ._beside import beside_paper
from ._by_facts import backbone_dots, family_dots
from ._by_size import release_scatter, size_scatter
from ._card import juror_weights, reliability_curve
from ._conditions import image_bars, sound_bars
from ._cost import cost_bars, latency_bars, outcome_bars
from ._heat import category_map, scenario_map
from ._jurors import agreement_matrix
from ._radar import category_radar
from ._talk import contested_bars, talk_effect

__all__ = [
    "agreement_matrix",
    "backbone_dots",
    "beside_paper",
    "category_map",
    "category_radar",
    "contested_bars",
    "cost_bars",
    "family_dots",
    "image_bars",
    "juror_weights",
    "latency_bars",
    "leaderboard_bars",
    "outcome_bars",
    "refusal_bars",
    "release_scatter",
    "reliability_curve",
    "safety_bars",
    "scenario_map",
    "size_scatter",
    "sound_bars",
    "talk_effect",
]
