"""Ranks the targets of one or several runs of one jury."""

from ._jurors import CallTimes, JurorVotes, Latency, PairVotes
from ._known_models import KnownModel, known_model, known_models
from ._leaderboard import Leaderboard, LeaderboardRow, LeaderboardRun
from ._matched import matched_rows
from ._one_jury import check_one_jury
from ._published import ANOTHER_JUDGE, PublishedTable, published_table

__all__ = [
    "ANOTHER_JUDGE",
    "CallTimes",
    "JurorVotes",
    "KnownModel",
    "Latency",
    "Leaderboard",
    "LeaderboardRow",
    "LeaderboardRun",
    "PairVotes",
    "PublishedTable",
    "check_one_jury",
    "known_model",
    "known_models",
    "matched_rows",
    "published_table",
]
