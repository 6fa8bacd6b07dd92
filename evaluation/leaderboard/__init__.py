"""Ranks the targets of one or several runs of one jury."""

from ._jurors import CallTimes, JurorVotes, Latency, PairVotes
from ._known_models import KnownModel, known_model, known_models
from ._leaderboard import Leaderboard, LeaderboardRow, LeaderboardRun
from ._one_jury import check_one_jury

__all__ = [
    "CallTimes",
    "JurorVotes",
    "KnownModel",
    "Latency",
    "Leaderboard",
    "LeaderboardRow",
    "LeaderboardRun",
    "PairVotes",
    "check_one_jury",
    "known_model",
    "known_models",
]
