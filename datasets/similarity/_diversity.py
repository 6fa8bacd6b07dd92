"""Chooses texts that are good and diverse."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...common.text import Shingles, shingles

Floats = NDArray[np.float64]
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
    """Choose texts and return their positions in the order of choice.

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
    chosen, _ = choose_unlike(
        len(texts), count, lambda nearest: worth - diversity * nearest, likeness.to
    )
    return chosen


def choose_unlike(
    size: int, count: int, value: Callable[[Floats], Floats], likeness: Callable[[int], Floats]
) -> tuple[list[int], Floats]:
    """Choose items greedily by value; the earliest wins a tie.

    Args:
        size: How many items there are.
        count: How many are wanted; all are chosen where there are fewer.
        value: Returns the values of all items by their `nearest`, the likeness of each to the
            most similar item chosen so far, 0 while there is none.
        likeness: Returns the likeness of the item at a place to all items, in [0, 1].

    Returns:
        The places of those chosen, in the order in which they are chosen, and the `nearest`
        of all items: of the chosen ones as it was when they were chosen.
    """
    nearest, is_open = np.zeros(size), np.ones(size, np.bool_)
    chosen: list[int] = []
    for _ in range(min(count, size)):
        place = int(np.argmax(np.where(is_open, value(nearest), -np.inf)))
        chosen.append(place)
        is_open[place] = False
        nearest = np.where(is_open, np.maximum(nearest, likeness(place)), nearest)
    return chosen, nearest


class _Likeness:
    """Computes the Jaccard similarity of one text to all others."""

    def __init__(self, features: Sequence[Shingles]) -> None:
        self._sizes = np.array([len(each) for each in features])
        self._starts = np.concatenate(([0], np.cumsum(self._sizes)[:-1]))
        known, self._codes = np.unique(np.concatenate(features), return_inverse=True)
        self._of_one = np.zeros(len(known), np.bool_)

    def to(self, place: int) -> Floats:
        start, size = int(self._starts[place]), int(self._sizes[place])
        own = self._codes[start : start + size]
        self._of_one[own] = True
        shared = np.add.reduceat(self._of_one[self._codes].astype(np.int64), self._starts)
        self._of_one[own] = False
        return shared / (self._sizes + size - shared)
