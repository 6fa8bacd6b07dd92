"""A figure: a picture, its caption, and the table behind it."""

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, overload

from ...common.text import escape_formula
from ._canvas import render
from ._svg import accessible_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

FORMATS = ("svg", "png", "pdf", "csv")
"""The kinds of files that a figure can be."""
Cell = str | float | int | None
"""A value of a table; None for one that was not measured."""


@dataclass(frozen=True, slots=True)
class FigureTable:
    """The numbers of a figure.

    Attributes:
        columns: Their names; shares are in [0, 1].
        rows: A cell a column.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def csv(self) -> str:
        """Return it as CSV; what a spreadsheet would run as a formula is escaped."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([*map(escape_formula, row)] for row in self.rows)
        return text.getvalue()


class Draw(Protocol):
    """Draws a figure on an empty canvas."""

    def __call__(self, canvas: "Canvas", /) -> None: ...


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a leaderboard; the same figures are drawn byte for byte the same.

    Attributes:
        name: A word for its file and its place in a page, such as `leaderboard`.
        title: What it shows.
        caption: How to read it, with n, interval and method.
        table: The numbers behind it.
        size: Width and height in inches.
    """

    name: str
    title: str
    caption: str
    table: FigureTable
    size: tuple[float, float]
    _draw: Draw = field(repr=False, compare=False)

    def svg(self) -> str:
        """Return it as SVG, whose colors are CSS variables and whose text is text.

        Raises:
            ConfigurationError: matplotlib is not installed.
        """
        return self.files(("svg",))["svg"].decode()

    def _repr_svg_(self) -> str:
        return self.svg()

    def png(self) -> bytes:
        """Return it as PNG, 150 pixels an inch, in light colors.

        Raises:
            ConfigurationError: matplotlib is not installed.
        """
        return self.files(("png",))["png"]

    def pdf(self) -> bytes:
        """Return it as PDF, in light colors.

        Raises:
            ConfigurationError: matplotlib is not installed.
        """
        return self.files(("pdf",))["pdf"]

    def csv(self) -> str:
        """Return its table as CSV."""
        return self.table.csv()

    def files(self, kinds: Collection[str]) -> dict[str, bytes]:
        """Return it as files of several kinds, drawn once.

        Args:
            kinds: Of `FORMATS`.

        Raises:
            ConfigurationError: matplotlib is not installed, and it is to be drawn.
        """
        drawn: dict[str, bytes] = {}
        if pictures := [kind for kind in kinds if kind != "csv"]:
            drawn = render(self._draw, self.size, self.title, pictures)
        if "svg" in drawn:
            plain = drawn["svg"].decode()
            drawn["svg"] = accessible_svg(plain, self.name, self.title, self.caption).encode()
        if "csv" in kinds:
            drawn["csv"] = self.csv().encode()
        return drawn


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A figure that there is no data for.

    Attributes:
        name: Its name.
        why: What is missing, in words.
    """

    name: str
    why: str


class Figures(Sequence[Figure]):
    """The figures that there is data for, and why others are left out.

    Args:
        drawn: The figures.
        left_out: The others.

    Attributes:
        left_out: Why there is no figure, by name.
    """

    def __init__(self, drawn: Sequence[Figure], left_out: Mapping[str, str]) -> None:
        self._drawn = tuple(drawn)
        self.left_out = dict(left_out)

    @overload
    def __getitem__(self, index: int) -> Figure: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Figure]: ...
    def __getitem__(self, index: int | slice) -> Figure | Sequence[Figure]:
        return self._drawn[index]

    def __len__(self) -> int:
        return len(self._drawn)

    def __iter__(self) -> Iterator[Figure]:
        return iter(self._drawn)
