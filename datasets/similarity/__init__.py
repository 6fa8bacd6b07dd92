"""Finds near-duplicates (MinHash, perceptual hash) and chooses diverse texts."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._diversity import Floats, choose, choose_unlike
    from ._near_duplicates import NearDuplicates
    from ._picture_hash import NearPictures, picture_hash

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_diversity": ["Floats", "choose", "choose_unlike"],
            "_near_duplicates": ["NearDuplicates"],
            "_picture_hash": ["NearPictures", "picture_hash"],
        },
    )

__all__ = [
    "Floats",
    "NearDuplicates",
    "NearPictures",
    "choose",
    "choose_unlike",
    "picture_hash",
]
