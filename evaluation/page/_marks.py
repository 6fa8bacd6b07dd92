"""Cuts words of a case where ballots quote them, so that a page can mark the pieces."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from ...agents import is_picture, quoted_spans
from ...common import escape_controls
from ...deliberation import BallotsRevealed, Entry

Piece = str | list[object]
"""Words that nobody quotes, or a list of words and the seats that quote them."""


def quotes_of(entries: Iterable[Entry]) -> Mapping[str, tuple[str, ...]]:
    """Return the words that ballots of a case quote of it, by seat."""
    said: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for entry in entries:
        if isinstance(entry, BallotsRevealed):
            for ballot in entry.ballots:
                said[ballot.juror].update(
                    dict.fromkeys(each for each in ballot.quotes if not is_picture(each))
                )
    return {seat: tuple(quotes) for seat, quotes in said.items() if quotes}


def marked(text: str, quotes: Mapping[str, Sequence[str]]) -> list[Piece]:
    """Return the pieces of a text in order, with invisible characters escaped.

    Args:
        text: Words of a case.
        quotes: What is quoted, by seat.
    """
    by_quote: defaultdict[str, list[str]] = defaultdict(list)
    for seat, said in quotes.items():
        for quote in said:
            by_quote[quote].append(seat)
    spans = [
        (start, end, seat)
        for quote, seats in by_quote.items()
        for start, end in quoted_spans(quote, text)
        for seat in seats
    ]
    edges = sorted({0, len(text), *(edge for start, end, _ in spans for edge in (start, end))})
    pieces: list[Piece] = []
    for start, end in pairwise(edges):
        seats = list(dict.fromkeys(seat for a, b, seat in spans if a <= start and end <= b))
        words = escape_controls(text[start:end])
        pieces.append([words, seats] if seats else words)
    return pieces
