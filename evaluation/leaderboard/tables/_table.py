"""A table of a leaderboard, before it is written in any format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ....common.text import MISSING, count, dollars, index, index_span, points, span

Kind = Literal[
    "share", "index", "count", "usd", "number", "text", "pair", "difference", "gap", "hidden"
]
"""What a value is: a share in [0, 1], a safety index, ..., a share with its index, a difference of
shares, a difference of indices, or a word that only data need."""
Value = float | int | str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A value with its interval.

    Attributes:
        value: None where nothing was measured.
        interval: Its 95 % interval, if it has one.
        beside: The index that goes with a share of kind `pair`.
        best: Whether no other row has a better one.
    """

    value: Value
    interval: tuple[float, float] | None = None
    beside: float | None = None
    best: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A column.

    Attributes:
        name: Its name in CSV and JSON, and for `--columns`.
        title: Its heading for people.
        kind: What its values are.
        better: Which values are better; None where none is.
        rank: Columns of the highest rank are left out first where a screen is narrow.
    """

    name: str
    title: str
    kind: Kind
    better: Literal["low", "high"] | None = None
    rank: int = 1


@dataclass(frozen=True, slots=True)
class BoardTable:
    """A table of targets.

    Attributes:
        name: A word for it, such as `leaderboard`.
        title: Its title.
        caption: How to read it, with n, interval and method.
        columns: The columns after the name and the run.
        names: Targets.
        runs: Their runs.
        rows: A cell a column.
    """

    name: str
    title: str
    caption: str
    columns: tuple[Heading, ...]
    names: tuple[str, ...]
    runs: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def with_best(self) -> "BoardTable":
        """Return the same with the best values marked, in columns where some differ."""
        columns = [
            _marked([row[at] for row in self.rows], column.better)
            for at, column in enumerate(self.columns)
        ]
        return replace(self, rows=tuple(zip(*columns, strict=True)) if columns else self.rows)

    def shown(self) -> "BoardTable":
        """Return the same without what only data need."""
        return self._with([at for at, one in enumerate(self.columns) if one.kind != "hidden"])

    def without_empty(self) -> "BoardTable":
        """Return the same without columns in which no value is known."""
        kept = [
            at
            for at in range(len(self.columns))
            if any(row[at].value is not None for row in self.rows)
        ]
        return self._with(kept)

    def _with(self, kept: Sequence[int]) -> "BoardTable":
        return replace(
            self,
            columns=tuple(self.columns[at] for at in kept),
            rows=tuple(tuple(row[at] for at in kept) for row in self.rows),
        )


def _marked(cells: Sequence[Cell], better: str | None) -> list[Cell]:
    known = [cell.value for cell in cells if isinstance(cell.value, int | float)]
    if better is None or len({*known}) < 2:
        return list(cells)
    best = min(known) if better == "low" else max(known)
    return [replace(cell, best=cell.value == best) for cell in cells]


def _signed(value: float, digits: Callable[[float], str]) -> str:
    sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else "\N{PLUS-MINUS SIGN}"
    return f"{sign}{digits(abs(value))}"


def said(cell: Cell, kind: Kind) -> str:
    """Return a value in words, without its interval."""
    value = cell.value
    if value is None:
        return MISSING
    if isinstance(value, str):
        return value
    match kind:
        case "share":
            return points(value)
        case "pair":
            return f"{points(value)}/{index(cell.beside)}"
        case "index":
            return index(value)
        case "difference":
            return _signed(value, points)
        case "gap":
            return _signed(value, index)
        case "count":
            return count(int(value))
        case "usd":
            return dollars(value)
        case _:
            return f"{value:g}"


def said_interval(cell: Cell, kind: Kind) -> str | None:
    """Return the interval of a value in words, None without one."""
    if cell.interval is None:
        return None
    return index_span(cell.interval) if kind == "index" else span(cell.interval)
