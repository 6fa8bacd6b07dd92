"""Detects near-duplicate texts in one pass over many."""

from collections.abc import Iterable
from typing import Protocol, cast

import datasketch  # pyright: ignore[reportMissingTypeStubs]
import numpy as np

from ...common import ConfigurationError
from ...common.text import Shingles, jaccard_similarity, shingles
from ._band_index import Sketch, SketchIndex

NEAR_DUPLICATE = 0.6
"""Jaccard similarity from which a text nearly repeats another; see docs/generation/quality.md."""

_PERMUTATIONS = 128
"""In 32 bands of 4: a pair of similarity s meets with 1 - (1 - s^4)^32, at 0.6 with 98.8 %."""
_SLACK = 0.2
"""Maximum error of the sketches, about four and a half standard deviations."""
_KEPT = 384
"""Most shingles that are kept of a text, those of least hash; the likeness of longer texts is
an estimate, with a standard error of 2.5 points."""
_AT_ONCE = 4096
_SEED = 20_240


class NearDuplicates:
    """Detects whether a new text nearly repeats an earlier one.

    The same texts in the same order give the same answers. A text that is remembered takes
    about 1.3 kB and its id, a long one 2.5 kB; near-duplicates are not remembered. Sketches
    are those of `datasketch`; its own index, a set for each band of each text, takes several
    times as much.

    Example:
        >>> seen = NearDuplicates()
        >>> seen.add("a", "How is a lock picked?")
        >>> seen.add("b", "Explain how a lock is picked.")
        'a'

    Args:
        threshold: Jaccard similarity of shingles, in (0, 1], from which a text is a
            near-duplicate. Below 0.5 more and more are missed.

    Raises:
        ConfigurationError: The threshold is out of range.
    """

    def __init__(self, threshold: float = NEAR_DUPLICATE) -> None:
        if not 0 < threshold <= 1:
            raise ConfigurationError(
                f"near_duplicate {threshold} is out of range: give more than 0 and at most 1"
            )
        self._threshold = threshold
        self._ids: list[str] = []
        self._shingles: list[bytes] = []
        self._index = SketchIndex(_PERMUTATIONS)
        self._minhash = cast(
            "_MinHash",
            datasketch.MinHash(_PERMUTATIONS, _SEED, hashfunc=_itself, scheme="affine32"),
        )

    def __len__(self) -> int:
        """Return the number of texts added."""
        return len(self._ids)

    def add(self, item_id: str, text: str) -> str | None:
        """Add a text, unless it nearly repeats an earlier one.

        Returns:
            The id of the most similar text before it (the earliest of several), None where
            there is none and it is remembered.
        """
        features = shingles(text)
        sketch, kept = self._sketch(features), features[:_KEPT]
        found = self._nearest(sketch, kept)
        if found is None:
            self._ids.append(item_id)
            self._shingles.append(kept.tobytes())
            self._index.add(sketch)
        return found

    def find(self, text: str) -> str | None:
        """Return what `add` would return, without adding the text."""
        features = shingles(text)
        return self._nearest(self._sketch(features), features[:_KEPT])

    def _nearest(self, sketch: Sketch, kept: Shingles) -> str | None:
        best, found = self._threshold, None
        for number in self._index.near(sketch, self._threshold - _SLACK):
            alike = _likeness(kept, np.frombuffer(self._shingles[number], np.uint32))
            if alike > best or (alike == best and found is None):
                best, found = alike, number
        return None if found is None else self._ids[found]

    def _sketch(self, features: Shingles) -> Sketch:
        self._minhash.clear()
        for start in range(0, len(features), _AT_ONCE):
            self._minhash.update_batch(features[start : start + _AT_ONCE])
        return self._minhash.hashvalues


class _MinHash(Protocol):
    """The part of `datasketch.MinHash` used here, which has no type hints."""

    hashvalues: Sketch

    def clear(self) -> None: ...

    def update_batch(self, b: Iterable[np.uint32]) -> None: ...


def _itself(value: np.uint32) -> np.uint32:
    return value


def _likeness(first: Shingles, second: Shingles) -> float:
    """Return the Jaccard similarity; exact unless a text exceeds the kept shingles."""
    if len(first) < _KEPT and len(second) < _KEPT:
        return jaccard_similarity(first, second)
    # The least hashes of the union are a sample of it.
    union = np.union1d(first, second)[:_KEPT]
    shared = np.intersect1d(first, second, assume_unique=True)
    return int(np.isin(union, shared, assume_unique=True).sum()) / len(union)
