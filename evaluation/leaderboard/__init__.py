"""Ranks the targets of one or several runs of one jury."""

from ._known_models import KnownModel, known_model, known_models
from ._leaderboard import Leaderboard, LeaderboardRow, LeaderboardRun

__all__ = [
    "KnownModel",
    "Leaderboard",
    "LeaderboardRow",
    "LeaderboardRun",
    "known_model",
    "known_models",
]
