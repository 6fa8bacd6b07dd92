"""Find the words that a juror quotes in a case, whatever their spacing, case and typography."""

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import chain, compress

from ._folding import readings, typed

_ELLIPSIS = re.compile(r"\[?\(?\.{3,}\)?\]?")
_AT_THE_END = " .,;:!?"
_LEAST = 3
"""Bytes of letters and digits: fewer say nothing. One character of Chinese has three."""
_WORDS_APART_BELOW = "\u0e00"
"""First of the scripts that put no spaces between words."""

Span = tuple[int, int]


class Quotation:
    """Words that somebody quotes, and their parts between ellipses.

    Args:
        words: As they were quoted.
        cut: Whether they may end within a word, as what was cut off at a cap does.
    """

    def __init__(self, words: str, *, cut: bool = False) -> None:
        self._words = words
        self._parts = _parts(words)
        self._cut = cut

    @property
    def says_nothing(self) -> bool:
        """Whether it is too short to stand anywhere but by chance."""
        said = 0
        for char in filter(str.isalnum, chain.from_iterable(self._parts)):
            said += len(char.encode())
            if said >= _LEAST:
                return False
        return True

    def stands_in(self, texts: Sequence["QuotedText"]) -> bool:
        """Whether one of the texts has all parts of it, in their order."""
        if any(text.has(self._parts, cut=self._cut) for text in texts):
            return True
        # Rarely is a quote escaped in another way than the case.
        undone = [_parts(reading) for reading in readings(self._words)]
        return any(text.has(parts, cut=self._cut) for text in texts for parts in undone[1:])

    def spans_in(self, text: "QuotedText") -> list[Span]:
        """Return where a text has its parts: indices of the text; none where it has not all."""
        return text.spans(self._parts, cut=self._cut)


def _parts(words: str) -> tuple[str, ...]:
    whole = " ".join(typed(words).split())
    if ".." not in whole and ". ." not in whole:
        whole = whole.rstrip(_AT_THE_END)
        return (whole,) if whole else ()
    # Dots with spaces between are an ellipsis too.
    dotted = re.sub(r"\.(?: ?\.){2,}", "...", whole)
    parts = (part.strip().rstrip(_AT_THE_END) for part in _ELLIPSIS.split(dotted))
    return tuple(part for part in parts if part)


class QuotedText:
    """A text of a case in which quotations are looked for.

    Args:
        text: The text.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def has(self, parts: Sequence[str], *, cut: bool) -> bool:
        """Whether the text, as it is seen or with escapes undone, has the parts in order.

        Args:
            parts: Folded words between ellipses; whole words, but for `cut`.
            cut: Whether the last may end within a word.
        """
        return any(reading.find(parts, cut=cut) is not None for reading in self._readings)

    def spans(self, parts: Sequence[str], *, cut: bool) -> list[Span]:
        """Return where the text as it is seen has the parts; see `has`."""
        found = self._seen.find(parts, cut=cut)
        if not found:
            return []
        return [(self._at[start], self._at[end - 1] + 1) for start, end in found]

    @cached_property
    def _seen(self) -> "_Reading":
        return _Reading(self._text)

    @cached_property
    def _at(self) -> list[int]:
        """Where each character of the squeezed text stands in the text as it was given."""
        width = {char: len(_squeezed(typed(char))) for char in set(self._text)}
        return [index for index, char in enumerate(self._text) for _ in range(width[char])]

    @cached_property
    def _readings(self) -> list["_Reading"]:
        return [_Reading(reading) for reading in readings(self._text)]


class _Reading:
    """A text with one space at most between its words, and without any."""

    def __init__(self, text: str) -> None:
        self._typed = typed(text)
        self._spaced = " ".join(self._typed.split())

    @cached_property
    def _squeezed(self) -> str:
        return _squeezed(self._spaced)

    @cached_property
    def _places(self) -> list[int]:
        """Where each character of the squeezed text stands in the spaced one."""
        return list(compress(range(len(self._spaced)), map(" ".__ne__, self._spaced)))

    def find(self, parts: Sequence[str], *, cut: bool) -> list[Span] | None:
        """Return where the squeezed text has the parts, None where it has not."""
        if not parts:
            return None
        spans = _in_order(self._spaced, parts, self._is_within, cut=cut)
        if spans is not None:
            before = self._spaced.count
            return [(s - before(" ", 0, s), e - before(" ", 0, e)) for s, e in spans]
        squeezed = [_squeezed(part) for part in parts]
        if not all(part in self._squeezed for part in squeezed):
            return None
        return _in_order(self._squeezed, squeezed, self._is_within_squeezed, cut=cut)

    def _is_within(self, at: int) -> bool:
        """Whether a word goes on from before a place of the spaced text."""
        if not 0 < at < len(self._spaced):
            return False
        return _is_letter(self._spaced[at - 1]) and _is_letter(self._spaced[at])

    def _is_within_squeezed(self, at: int) -> bool:
        if not 0 < at < len(self._squeezed):
            return False
        before, here = self._places[at - 1], self._places[at]
        return here == before + 1 and self._is_within(here)


def _is_letter(char: str) -> bool:
    return char.isalnum() and char < _WORDS_APART_BELOW


def _squeezed(text: str) -> str:
    return text.replace(" ", "")


def _in_order(
    text: str, parts: Sequence[str], is_within: Callable[[int], bool], *, cut: bool
) -> list[Span] | None:
    spans: list[Span] = []
    at = 0
    for number, part in enumerate(parts, 1):
        may_end = cut and number == len(parts)
        at = text.find(part, at)
        while at >= 0 and (is_within(at) or not (may_end or not is_within(at + len(part)))):
            at = text.find(part, at + 1)
        if at < 0:
            return None
        spans.append((at, at + len(part)))
        at += len(part)
    return spans
