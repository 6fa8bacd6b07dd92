"""Marks the words of a case that ballots rely on, with who relies on them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from ...agents import Ballot, is_picture, quoted_spans
from ..protocol import BallotsRevealed, Entry
from ._look import GRAY, UNICODE, Look, Seats

_STYLE = "underline"


@dataclass(frozen=True, slots=True)
class Quotes:
    """What ballots quote of a case, and whether it is shown.

    Attributes:
        by_seat: Quotes that stand in the case, by seat; empty where they are not known yet.
        marked: Whether the words are marked in the case itself, as all ballots are known.
        reveal: Whether words of the case are shown at all.
    """

    by_seat: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    marked: bool = False
    reveal: bool = False

    @classmethod
    def of(cls, entries: Iterable[Entry], *, reveal: bool) -> "Quotes":
        """Return what all ballots of a case quote."""
        said: defaultdict[str, list[str]] = defaultdict(list)
        for entry in entries:
            if isinstance(entry, BallotsRevealed):
                for ballot in entry.ballots:
                    said[ballot.juror] += ballot.quotes
        by_seat = {seat: tuple(dict.fromkeys(quotes)) for seat, quotes in said.items()}
        return cls(by_seat, marked=True, reveal=reveal)

    @property
    def seats(self) -> list[str]:
        """Seats whose quotes are marked in the case."""
        if not (self.marked and self.reveal):
            return []
        quoting = self.by_seat.items()
        return [seat for seat, quotes in quoting if not all(map(is_picture, quotes))]

    def places(self, text: str) -> list[tuple[int, int, list[str]]]:
        """Return start and end of what is quoted of a text, in order, with who quotes it."""
        found: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
        for seat, quotes in self.by_seat.items():
            for span in {span for quote in quotes for span in quoted_spans(quote, text)}:
                found[span].append(seat)
        # The outer one of two that start together is opened first.
        order = sorted(found, key=lambda span: (span[0], -span[1]))
        return [(*span, found[span]) for span in order] if self.reveal else []

    def asides(self, ballot: Ballot) -> Iterator[str]:
        """Yield what is to be said of a ballot's quotes beside it."""
        pictures = [quote for quote in ballot.quotes if is_picture(quote)]
        if pictures:
            yield f"relies on {', '.join(pictures)}"
        words = [quote for quote in ballot.quotes if quote not in pictures]
        if words and self.reveal and not self.marked:
            yield f"relies on {_in_marks(words)}"
        if ballot.misquotes:
            yield self._misquoted(ballot)

    def _misquoted(self, ballot: Ballot) -> str:
        if self.reveal:
            return f"not in the case: {_in_marks(ballot.misquotes)}"
        count = len(ballot.misquotes)
        return "1 quote is not in the case" if count == 1 else f"{count} quotes are not in the case"


def _in_marks(words: Iterable[str]) -> str:
    return ", ".join(f'"{" ".join(each.split())}"' for each in words)


def with_quotes(look: Look, jury: Seats, quotes: Quotes) -> Callable[[str], Text]:
    """Return a function that shows words of a case, those quoted between brackets."""

    def shown(text: str) -> Text:
        marked = Text()
        for piece, depth, opens, seats in _pieces(text, quotes):
            marked.append_text(look.words(piece, _STYLE if depth else ""))
            for closing in seats:
                marked.append(look.glyphs.quoted[1], GRAY)
                for seat in closing:
                    marked.append_text(look.mark(jury.index(seat)))
            marked.append(look.glyphs.quoted[0] * opens, GRAY)
        return marked

    return shown


def quoted_in_words(text: str, jury: Seats, quotes: Quotes) -> str:
    """Return words of a case as plain text, those quoted between brackets."""
    opening, closing = UNICODE.quoted
    parts: list[str] = []
    for piece, _, opens, seats in _pieces(text, quotes):
        closed = (closing + "".join(map(jury.glyph, those)) for those in seats)
        parts += [piece, *closed, opening * opens]
    return "".join(parts)


def _pieces(text: str, quotes: Quotes) -> Iterator[tuple[str, int, int, list[list[str]]]]:
    """Yield pieces of a text, each with what stands behind it.

    These are: how many quotes it lies in, how many open behind it, and who closes one there.
    """
    places = quotes.places(text)
    edges = sorted({edge for start, end, _ in places for edge in (start, end)} | {len(text)})
    before = 0
    for edge in edges:
        depth = sum(start < edge <= end for start, end, _ in places)
        opens = sum(start == edge for start, _, _ in places)
        # What was opened last is closed first.
        closes = [seats for _, end, seats in reversed(places) if end == edge]
        yield text[before:edge], depth, opens, closes
        before = edge


def legend(look: Look, jury: Seats, quotes: Quotes) -> RenderableType:
    """Return what the brackets mean, and whose the marks behind them are."""
    names = [jury.label(look, seat) for seat in quotes.seats]
    opening, closing = look.glyphs.quoted
    text = Text(f"{opening}words{closing} that a juror relies on: ", GRAY)
    return Padding(text.append_text(look.joined(*names)), (0, 2))
