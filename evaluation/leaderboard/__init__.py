"""Ranks the targets of one or several runs of one jury."""

from ._leaderboard import Leaderboard, LeaderboardRow, LeaderboardRun

__all__ = ["Leaderboard", "LeaderboardRow", "LeaderboardRun"]
