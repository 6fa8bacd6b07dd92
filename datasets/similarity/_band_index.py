"""Finds candidate near-duplicates by locality-sensitive hashing of MinHash sketches."""

from array import array

import numpy as np
from numpy.typing import NDArray

Sketch = NDArray[np.uint32]

ROWS = 4
"""Numbers of a sketch in a band: a pair of Jaccard similarity s agrees in one with s^4."""
_FIRST_SLOTS = 1024
_FACTORS = (np.arange(ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)) * np.uint64(
    0x9E3779B97F4A7C15
)
_HALF = np.uint64(32)


class SketchIndex:
    """An index of MinHash sketches, about 900 bytes each at 128 numbers.

    A band's numbers give a slot of the band's table. The places of one slot are a chain:
    `_heads` has its latest, `_earlier` the one before each. Other bands may come to share a
    slot by chance, which gives a candidate too many, never one too few.

    Args:
        width: Numbers of a sketch, a multiple of `ROWS`.
    """

    def __init__(self, width: int) -> None:
        self._bands = np.arange(width // ROWS)
        self._sketches = np.zeros((64, width), np.uint32)
        self._count = 0
        self._heads = np.zeros((len(self._bands), _FIRST_SLOTS), np.uint32)
        self._earlier = array("I", bytes(4 * len(self._bands)))  # place 0 is the end of a chain

    def near(self, sketch: Sketch, least: float) -> list[int]:
        """Return the numbers of similar sketches, ascending.

        Args:
            sketch: What is looked for.
            least: Share of the sketch, in [0, 1], that must agree.
        """
        places: list[int] = []
        earlier = self._earlier
        heads: list[int] = self._heads[self._bands, self._slots(sketch)].tolist()
        for place in heads:
            while place:
                places.append(place)
                place = earlier[place]
        if not places:
            return []
        numbers = np.unique(np.array(places) // len(self._bands)) - 1
        agreeing = (self._sketches[numbers] == sketch).mean(axis=1) >= least
        return numbers[agreeing].tolist()

    def add(self, sketch: Sketch) -> None:
        """Add a sketch; its number is the count of earlier ones."""
        if self._count == len(self._sketches):
            grown = np.zeros((self._count + self._count // 8 + 64, sketch.size), np.uint32)
            grown[: self._count] = self._sketches
            self._sketches = grown
        self._sketches[self._count] = sketch
        self._count += 1
        if self._count > self._heads.shape[1] // 2:
            self._enlarge()
        else:
            self._link(self._count, self._slots(sketch))

    def _link(self, number: int, slots: NDArray[np.uint64]) -> None:
        self._earlier.frombytes(self._heads[self._bands, slots].tobytes())
        self._heads[self._bands, slots] = number * len(self._bands) + self._bands

    def _enlarge(self) -> None:
        """Double the hash tables and link all sketches again."""
        self._heads = np.zeros((len(self._bands), 2 * self._heads.shape[1]), np.uint32)
        del self._earlier[len(self._bands) :]
        for number in range(self._count):
            self._link(number + 1, self._slots(self._sketches[number]))

    def _slots(self, sketch: Sketch) -> NDArray[np.uint64]:
        mixed = (sketch.reshape(-1, ROWS) * _FACTORS).sum(axis=1, dtype=np.uint64)
        return (mixed >> _HALF) & np.uint64(self._heads.shape[1] - 1)
