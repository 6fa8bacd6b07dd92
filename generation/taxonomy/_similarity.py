"""Computes the similarity of scenarios by the words that they share."""

import re
from dataclasses import dataclass

from ...common import require
from ...common.text import SMALL_WORDS

_WORD = re.compile(r"[^\W_]+")
_COMMON = SMALL_WORDS | {
    *("asking", "asks", "content", "creating", "creation", "generating", "generation", "help"),
    *("models", "other", "others", "people", "person", "request", "requests"),
}
"""Words that say nothing about which scenario it is."""


@dataclass(frozen=True, slots=True)
class ComparedWords:
    """The words of a scenario that are compared.

    Attributes:
        name: The words of its name that tell it apart.
        whole: Those of its name and definition.
    """

    name: str
    whole: str


def compared_words(name: str, definition: str) -> ComparedWords:
    """Return the words of a scenario that are compared."""
    return ComparedWords(_telling(name), _telling(f"{name} {definition}"))


def likeness(one: ComparedWords, other: ComparedWords) -> float:
    """Return how alike two scenarios are, in [0, 1].

    The larger of two token-set ratios: that of the names, and that of names and
    definitions together, both without words that say nothing. So it is 1 where all words
    of one name stand in the other. It sees words, not meaning: two names for one thing
    that share no word are not found.
    """
    from rapidfuzz.fuzz import token_set_ratio

    return max(token_set_ratio(one.name, other.name), token_set_ratio(one.whole, other.whole)) / 100


def same_name(name: str) -> str:
    """Return a name without case, punctuation and extra spaces, for comparison."""
    return " ".join(_WORD.findall(name.casefold()))


def check_installed() -> None:
    """Check that the packages are installed.

    Raises:
        ConfigurationError: One is not installed.
    """
    require("the stage `taxonomy`", "numpy", "rapidfuzz")


def _telling(text: str) -> str:
    words = _WORD.findall(text.casefold())
    return " ".join(word for word in words if word not in _COMMON) or " ".join(words)
