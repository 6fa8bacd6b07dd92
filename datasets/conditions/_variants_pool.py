"""Collects the pictures of a dataset, to swap one for another."""

import random
from collections.abc import Collection, Iterable, Iterator

from ...common import DatasetError
from ...common.text import quoted
from ..query import Media, Query

_DRAWS = 64
"""Draws before any other picture will do: few sets are that lopsided."""


class PicturePool:
    """Every distinct picture of a dataset, with the scenario of the first query that has it.

    Args:
        queries: All queries; iterated once.
    """

    def __init__(self, queries: Iterable[Query] = ()) -> None:
        pictures: dict[str, tuple[Media, str]] = {}
        for query in queries:
            for media in query.images:
                pictures.setdefault(media.sha256, (media, query.scenario))
        self._pictures = list(pictures.values())

    def __len__(self) -> int:
        return len(self._pictures)

    def other(self, query: Query, chance: random.Random, *, taken: Collection[str] = ()) -> Media:
        """Return a different picture, from another scenario if there is one.

        Args:
            query: The query whose pictures are excluded.
            chance: The random generator.
            taken: Digests of pictures drawn before, excluded if possible.

        Raises:
            DatasetError: The set holds no other picture.
        """
        own = {image.sha256 for image in query.images}
        best: tuple[tuple[bool, bool], Media] | None = None
        for media, scenario in self._drawn(chance):
            rank = media.sha256 in taken, scenario == query.scenario
            if media.sha256 not in own and (best is None or rank < best[0]):
                best = rank, media
                if not any(rank):
                    return media
        for media, _ in self._pictures if best is None else ():
            if media.sha256 not in own:
                return media
        if best is None:
            raise DatasetError(
                f"query {quoted(query.id)} cannot be shown a random picture: the set has no "
                "other one; take `random` out of `images:`"
            )
        return best[1]

    def _drawn(self, chance: random.Random) -> Iterator[tuple[Media, str]]:
        for _ in range(_DRAWS if self._pictures else 0):
            yield chance.choice(self._pictures)
