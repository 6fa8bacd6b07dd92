"""Tables for terminals of any width: columns that do not fit are left out and named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich import box
from rich.bar import Bar
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from ...common import escape_line
from ...common.text import MISSING

Cell = Text | str | Bar
_LEAST_NAME = 12
"""Minimum width of a name before it wraps, unless a third of the width is more."""
NOT_SHOWN = "+ not shown: "
"""Prefix of the line that names the columns that did not fit."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, except the first.

    Attributes:
        head: Its heading, with line breaks.
        cells: A cell for each row.
        rank: Columns of the highest rank are left out first, all of one rank together; those
            of rank 0 always stay.
        name: Its name in the list of columns not shown; its heading unless given.
        width: Its width in characters, None for that of its cells.
        left: Whether it is aligned left.
    """

    head: str
    cells: Sequence[Cell]
    rank: int = 1
    name: str = ""
    width: int | None = None
    left: bool = False

    @property
    def called(self) -> str:
        """Its name in the list of columns not shown."""
        return self.name or self.head.replace("\n", " ")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with a column of names and columns of values.

    Attributes:
        heading: Its title; empty for none.
        first: Heading of the names.
        names: One for each row; long names wrap.
        columns: The other columns.
        whole_names: Whether columns are left out before a name wraps.
    """

    heading: str
    first: str
    names: Sequence[Text]
    columns: Sequence[Column] = field(default_factory=tuple[Column, ...])
    whole_names: bool = False

    def write(self, console: Console) -> bool:
        """Print the columns that fit and name the others; return whether all fit."""
        kept, dropped = list(self.columns), list[Column]()
        while not self._fits(kept, console):
            last = max((column.rank for column in kept), default=0)
            if not last:
                break
            dropped = [column for column in kept if column.rank == last] + dropped
            kept = [column for column in kept if column.rank < last]
        console.print(self._table(kept))
        if dropped:
            # A rate goes with its n, which need not be named as well.
            names = ", ".join(column.called for column in dropped if column.head != "n")
            console.print(Text(f"{NOT_SHOWN}{names}"), style="dim")
        return not dropped

    def _fits(self, columns: Sequence[Column], console: Console) -> bool:
        wide = console.options.update(max_width=10_000)
        natural = Measurement.get(console, wide, self._table(columns)).maximum
        longest = max(map(cell_len, [self.first, *(name.plain for name in self.names)]))
        least = longest
        if not self.whole_names:
            least = min(longest, max(_LEAST_NAME, console.width // 3))
        return natural - longest + least <= console.width

    def _table(self, columns: Sequence[Column]) -> Table:
        table = Table(
            title=Text(self.heading, style="bold") if self.heading else None,
            title_justify="left",
            box=box.SIMPLE_HEAD,
            show_edge=False,
            padding=(0, 1, 0, 0),
            header_style="dim",
        )
        # Only names may wrap: a number cut short would be another number.
        table.add_column(self.first, overflow="fold", min_width=min(8, _LEAST_NAME))
        for column in columns:
            table.add_column(
                column.head,
                justify="left" if column.left else "right",
                no_wrap=True,
                width=column.width,
            )
        for number, name in enumerate(self.names):
            table.add_row(name, *(column.cells[number] for column in columns))
        return table


def write_lines(console: Console, heading: str, lines: Sequence[str]) -> None:
    """Print sentences that a reader must not miss, under a heading; nothing without any."""
    if not lines:
        return
    console.print(Text(heading, style="bold yellow"))
    table = Table.grid(padding=(0, 1, 0, 0))
    for line in lines:
        table.add_row(Text("!", style="yellow"), Text(escape_line(line)))
    console.print(table)


def in_its_encoding(console: Console, write: Callable[[], None]) -> None:
    """Print to a console, also to one that has no characters but those of ASCII.

    Args:
        console: Where to write.
        write: Prints to the console.
    """
    if not console.options.ascii_only:
        write()
        return
    with console.capture() as captured:
        write()
    plain = {ord(MISSING): "-", ord("\N{MINUS SIGN}"): "-", ord("≥"): ">="}
    text = captured.get().translate(plain)
    console.file.write(text.encode(console.encoding, "replace").decode(console.encoding))
