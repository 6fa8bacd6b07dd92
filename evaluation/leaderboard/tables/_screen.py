"""Shows tables of a leaderboard on the screen."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from ....common import escape_line
from ...report import Column, Grid, in_its_encoding, write_lines
from ._table import BoardTable, Heading, said, said_interval


def show_tables(tables: Sequence[BoardTable], notes: Sequence[str], console: Console) -> None:
    """Print tables; columns for which a screen is too narrow are named below.

    Args:
        tables: The tables.
        notes: What a reader must know first, a sentence each.
        console: Where to write.
    """

    def write() -> None:
        write_lines(console, "Before you read on", notes)
        for table in tables:
            console.print()
            _grid(table.shown()).write(console)
            console.print(Text(escape_line(table.caption)), style="dim")

    in_its_encoding(console, write)


def _grid(table: BoardTable) -> Grid:
    columns: list[Column] = []
    for at, column in enumerate(table.columns):
        columns += _columns(table, at, column)
    names = [Text(escape_line(name)) for name in table.names]
    return Grid(table.title, "target", names, columns)


def _columns(table: BoardTable, at: int, column: Heading) -> list[Column]:
    cells = [row[at] for row in table.rows]
    words = [
        Text(escape_line(said(cell, column.kind)), style="bold" if cell.best else "")
        for cell in cells
    ]
    head = column.title.replace(" ", "\n", 1) if len(column.title) > 8 else column.title
    left = column.kind == "text"
    shown = [Column(head, words, column.rank, left=left)]
    if column.kind != "pair" and any(cell.interval for cell in cells):
        ends = [said_interval(cell, column.kind) or "" for cell in cells]
        shown.append(Column("interval", ends, column.rank + 2, f"interval of {column.title}"))
    return shown
