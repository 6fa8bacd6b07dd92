"""Removes pictures and sounds of a run, and says so in its record."""

from ._media import hold, is_finished, prune_media

__all__ = [
    "hold",
    "is_finished",
    "prune_media",
]
