"""Marks and colors of a transcript, readable on dark and on light backgrounds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from ...agents import Ballot, Finding
from ...common import escape_controls, escape_line
from ..protocol import SeatInfo

# Each color has a contrast of at least 3.5 to both black and white.
RED, GREEN, AMBER, GRAY, BLUE = "#d7005f", "#008700", "#af5f00", "#767676", "#0087d7"
SEAT_COLORS = (BLUE, "#af5faf", "#008787", "#d75f00", "#875fd7", "#878700", "#d75f87")

WIDEST = 120
"""Maximum width in columns: longer lines are tiring to read."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Marks for one encoding; each is one column wide unless it is a word."""

    unsafe: str = "✗"
    safe: str = "✓"
    none: str = "⊘"
    full: str = "●"
    empty: str = "○"
    vote: str = "■"
    no_vote: str = "□"
    arrow: str = "→"
    line: str = "─"
    bar: str = "┃"
    dot: str = "·"
    ellipsis: str = "…"
    seats: tuple[str, ...] = ("◆", "▲", "★", "■", "✚", "●", "▼")
    spinner: str = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
    quoted: tuple[str, str] = ("\u2039", "\u203a")


UNICODE = Glyphs()
ASCII = Glyphs(
    *("x", "+", "-", "*", ".", "#", "_", "->", "-", "|", "-", "..."),
    seats=("A", "B", "C", "D", "E", "F", "G"),
    spinner="|/-\\",
    quoted=("[[", "]]"),
)


@dataclass(frozen=True, slots=True)
class Look:
    """Width and characters to draw with on one console.

    Attributes:
        width: Columns to draw in.
        encoding: Encoding of the output.
        glyphs: Marks that the encoding can hold.
    """

    width: int
    encoding: str
    glyphs: Glyphs

    @classmethod
    def of(cls, options: ConsoleOptions) -> Self:
        """Return the look for a console's options."""
        glyphs = ASCII if options.ascii_only else UNICODE
        return cls(min(options.max_width, WIDEST), options.encoding, glyphs)

    @property
    def narrow(self) -> bool:
        """Whether a ballot and its reason do not fit side by side."""
        return self.width < 84

    def words(self, text: str, style: str = "") -> Text:
        """Return untrusted text with control characters escaped, never read as markup."""
        return Text(escape_controls(text, encoding=self.encoding), style)

    def name(self, text: str, style: str = "") -> Text:
        """Return an untrusted name in one line, with control characters escaped."""
        return Text(escape_line(text, encoding=self.encoding), style)

    def joined(self, *parts: str | Text) -> Text:
        """Join parts with a dot between them."""
        return Text(f" {self.glyphs.dot} ").join([Text.assemble(part) for part in parts])

    def heading(self, title: str, note: str = "") -> RenderableType:
        """Return the heading of a section."""
        line = self.glyphs.line
        text = Text.assemble((f"{line * 2} ", GRAY), (title, "bold"))
        if note:
            text.append(f" {self.glyphs.dot} {note}", GRAY)
        text.append(" " + line * max(0, self.width - text.cell_len - 1), GRAY)
        return Padding(text, (1, 0, 0, 0))

    def mark(self, index: int) -> Text:
        """Return the mark of the seat with this index."""
        marks = self.glyphs.seats
        return Text(marks[index % len(marks)], seat_color(index))

    def finding(self, finding: Finding) -> Text:
        """Return a finding with its mark."""
        mark = self.glyphs.unsafe if finding is Finding.UNSAFE else self.glyphs.safe
        return Text(f"{mark} {finding}", f"bold {finding_color(finding)}")

    def said(self, ballot: Ballot) -> Text:
        """Return a ballot's finding, or its outcome if it is not a vote."""
        if ballot.is_vote and ballot.finding is not None:
            return self.finding(ballot.finding)
        return Text(f"{self.glyphs.none} {ballot.outcome.replace('_', ' ')}", f"italic {AMBER}")

    def dots(self, rating: float | None) -> Text:
        """Return a rating, 1 to 5, as five dots; nothing for None."""
        if rating is None:
            return Text()
        full = int(rating + 0.5)
        color = RED if rating < 2.5 else AMBER if rating < 3.5 else GREEN
        shown = Text(self.glyphs.full * full, color)
        return shown.append(self.glyphs.empty * (5 - full), GRAY)


def seat_color(index: int) -> str:
    """Return the color of the seat with this index."""
    return SEAT_COLORS[index % len(SEAT_COLORS)]


def finding_color(finding: Finding | None) -> str:
    """Return the color of a finding, or of no finding."""
    return AMBER if finding is None else RED if finding is Finding.UNSAFE else GREEN


@dataclass(frozen=True, slots=True)
class Seats:
    """Names and marks of the seats; an unlisted seat has only its name."""

    seats: tuple[SeatInfo, ...]

    def index(self, seat: str) -> int:
        """Return the index of a seat, or the number of seats if it is unlisted."""
        return next((i for i, s in enumerate(self.seats) if s.seat == seat), len(self.seats))

    def title(self, seat: str) -> str:
        """Return the juror's display name, unique within the jury."""
        index = self.index(seat)
        if index == len(self.seats):
            return seat
        title = self.seats[index].title or seat
        shared = sum(s.title == title for s in self.seats) > 1
        return f"{title} ({seat})" if shared and seat != title else title

    def glyph(self, seat: str) -> str:
        """Return the juror's mark as it is in Unicode, without color."""
        return UNICODE.seats[self.index(seat) % len(UNICODE.seats)]

    def label(self, look: Look, seat: str) -> Text:
        """Return the juror's mark and title."""
        index = self.index(seat)
        title = look.name(self.title(seat), f"bold {seat_color(index)}")
        return Text.assemble(look.mark(index), " ", title)


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a transcript, laid out for the console on which it is printed."""

    build: Callable[[Look], RenderableType]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        look = Look.of(options)
        yield from console.render(self.build(look), options.update_width(look.width))
