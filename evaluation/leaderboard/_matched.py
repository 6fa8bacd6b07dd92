"""Finds the targets that the SafeBench paper has as well."""

from ._leaderboard import Leaderboard, LeaderboardRow
from ._published import PublishedTarget, published_table

Matched = tuple[LeaderboardRow, PublishedTarget]
"""A target of ours, and its row in the published table."""


def matched_rows(board: Leaderboard) -> list[Matched]:
    """Return the targets that the published table has, asked as they are, with its rows."""
    table = published_table().targets
    return [
        (row, table[row.published])
        for row in board.rows
        if row.published is not None and not row.summary.condition
    ]
