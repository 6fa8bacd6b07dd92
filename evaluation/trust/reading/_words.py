"""Which words mean unsafe, and which mean safe."""

from collections.abc import Iterable, Mapping
from math import isnan

from ....agents import Finding
from ....common import ConfigurationError
from ....common.text import quoted
from ._rows import described

_LONGEST_WORD = 20
_SHOWN = 8
"""Undeclared words that an error names."""
_OPTION = {Finding.UNSAFE: "--unsafe-word", Finding.SAFE: "--safe-word"}


class Words:
    """The words for the two findings: `unsafe`, `safe`, and those that were declared.

    Case and space around a word make no difference. Numbers, true and false are words like any
    other: they mean nothing unless they are declared.

    Args:
        unsafe: Further words that mean unsafe.
        safe: Further words that mean safe.

    Raises:
        ConfigurationError: A word is empty, or means both.
    """

    def __init__(self, unsafe: Iterable[str] = (), safe: Iterable[str] = ()) -> None:
        self._known = {str(finding): finding for finding in Finding}
        for finding, declared in ((Finding.UNSAFE, unsafe), (Finding.SAFE, safe)):
            for given in declared:
                word = _plain(given)
                if not word:
                    raise ConfigurationError(f"{_OPTION[finding]}: the word is empty")
                if self._known.setdefault(word, finding) is not finding:
                    raise ConfigurationError(
                        f"{_OPTION[finding]} {quoted(given)}: it means {self._known[word]} already"
                    )

    def find(self, value: object) -> Finding | None:
        """Return what a value means, None where it is no declared word."""
        return self._known.get(word_of(value))


def word_of(value: object) -> str:
    """Return a value as it is compared with the declared words."""
    if isinstance(value, bool | int | str):
        return _plain(str(value))
    if isinstance(value, float) and not isnan(value):
        return str(int(value)) if value.is_integer() else str(value)
    return ""


def undeclared(where: object, found: Mapping[str, int]) -> ConfigurationError:
    """Return the error for words that were not declared.

    Args:
        where: The file, and which column of it.
        found: How often each was found.
    """
    said = [f"{_shown(word)} ({count:,})" for word, count in list(found.items())[:_SHOWN]]
    if len(found) > _SHOWN:
        said.append(f"{len(found) - _SHOWN:,} more")
    return ConfigurationError(
        f"{where} has words that are not declared: {', '.join(said)}: say what each means with "
        "--unsafe-word WORD or --safe-word WORD"
    )


def as_word(value: object) -> str:
    """Return a value as a word for `undeclared`; what can be none is described.

    Raises:
        ValueError: It is NaN, a list or an object, which no declaration can mend.
    """
    if word := word_of(value):
        return word
    raise ValueError(described(value))


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _shown(word: str) -> str:
    """Return a word for a message; long texts, which may be harmful, only by their length."""
    if len(word) > _LONGEST_WORD or " " in word:
        return f"a text of {len(word):,} characters"
    return quoted(word)
