"""Choosing texts that are good and unlike each other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ._shingles import Shingles, shingles

HIGHEST = 10.0
"""The best value that a text can have, unless the caller says otherwise."""


def choose(
    texts: Sequence[str],
    values: Sequence[float],
    count: int,
    diversity: float,
    *,
    highest: float = HIGHEST,
) -> list[int]:
    """Return the places of the chosen texts, in the order in which they are chosen.

    Each next text is the one of greatest marginal relevance, the earliest of several:
    `(1 - diversity) * value / highest - diversity * likeness`, where likeness is the Jaccard
    similarity, in [0, 1], to the most similar text chosen before it (Carbonell and Goldstein,
    1998, "The use of MMR"). It takes one pass over all texts for each that is chosen.

    Args:
        texts: To choose from.
        values: How good each is, from 0 to `highest`.
        count: How many are wanted; all are chosen where there are fewer.
        diversity: Weight of being different, in [0, 1]; 0 chooses by value alone.
        highest: What a value is a share of, above 0.

    Raises:
        ValueError: There is not one value for each text.
    """
    if len(texts) != len(values):
        raise ValueError(f"{len(texts)} texts have {len(values)} values")
    if not texts:
        return []
    worth = (1 - diversity) * np.asarray(values, np.float64) / highest
    likeness = _Likeness([shingles(text) for text in texts])
    nearest = np.zeros(len(texts))
    chosen: list[int] = []
    for _ in range(min(count, len(texts))):
        place = int(np.argmax(worth - diversity * nearest))
        chosen.append(place)
        worth[place] = -np.inf
        nearest = np.maximum(nearest, likeness.to(place))
    return chosen


class _Likeness:
    """The Jaccard similarity of one text to all, from all shingles in one row."""

    def __init__(self, features: Sequence[Shingles]) -> None:
        self._sizes = np.array([len(each) for each in features])
        self._starts = np.concatenate(([0], np.cumsum(self._sizes)[:-1]))
        known, self._codes = np.unique(np.concatenate(features), return_inverse=True)
        self._of_one = np.zeros(len(known), np.bool_)

    def to(self, place: int) -> NDArray[np.float64]:
        start, size = int(self._starts[place]), int(self._sizes[place])
        own = self._codes[start : start + size]
        self._of_one[own] = True
        shared = np.add.reduceat(self._of_one[self._codes].astype(np.int64), self._starts)
        self._of_one[own] = False
        return shared / (self._sizes + size - shared)
