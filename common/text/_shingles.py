"""Splits texts into shingles of four characters, to measure how similar they are.

A request means the same in other order, other case, and as a question or an instruction. So
shingles are taken word by word, without the small words that give a sentence its form (English),
and a set of them says nothing about order: `dog bites man` is `man bites dog`.
"""

import re

import numpy as np
from numpy.typing import NDArray

from ._normal_form import normal_form

Shingles = NDArray[np.uint32]
"""Hashes of all shingles of a text, ascending, each once; never empty."""

_WIDTH = 4
_SMALL_WORDS = """
a an the this that these those i me my you your he him his she her it its we us our they them their
one someone somebody anyone who whom which what is are was were be been being am do does did has
have had can could may might must shall should will would to of in on at by for from with into about
as so and or please tell explain describe show
"""
SMALL_WORDS = frozenset(_SMALL_WORDS.split())
"""English words that give a sentence its form and say little about its subject."""
_WORD = re.compile(r"\w+")
_APOSTROPHE = re.compile(r"(?<=\w)['\u2019](?=\w)")
_SPACE = np.uint32(ord(" "))
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
_MIX, _HALF = np.uint64(0xFF51AFD7ED558CCD), np.uint64(32)


def shingles(text: str) -> Shingles:
    """Return the shingles of a text: runs of four characters within a word and its edges."""
    folded = normal_form(text)
    words = _WORD.findall(_APOSTROPHE.sub("", folded)) or folded.split()
    content = [word for word in words if word not in SMALL_WORDS] or words
    # A word of one letter is shorter than a shingle.
    padded = "  ".join(word if len(word) > 1 else f"{word}\0" for word in content)
    points = np.frombuffer(f" {padded or chr(0) * 2} ".encode("utf-32-le", "surrogatepass"), "<u4")
    inside = (points[1:-2] != _SPACE) & (points[2:-1] != _SPACE)
    mixed = points[:-3].astype(np.uint64)
    for factor, offset in zip(_FACTORS, range(1, _WIDTH), strict=True):
        mixed = mixed * factor + points[offset : len(points) - _WIDTH + 1 + offset]
    mixed ^= mixed >> _HALF
    mixed *= _MIX
    return np.unique((mixed[inside] >> _HALF).astype(np.uint32))


def jaccard_similarity(first: Shingles, second: Shingles) -> float:
    """Return the Jaccard similarity of two sets: shared over all, in [0, 1]."""
    if len(first) > len(second):
        first, second = second, first
    at = np.searchsorted(second, first)
    at[at == len(second)] = 0
    shared = int(np.count_nonzero(second[at] == first))
    return shared / (len(first) + len(second) - shared)
