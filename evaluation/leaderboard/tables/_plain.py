"""Writes tables of a leaderboard as Markdown, CSV and JSON."""

import csv
import io
from collections.abc import Iterator, Sequence

import msgspec

from ....common.text import escape_formula
from ...report import inline
from ._table import BoardTable, Cell, Heading, Value, said, said_interval


def as_markdown(tables: Sequence[BoardTable], notes: Sequence[str] = ()) -> str:
    """Write tables in Markdown; the best values are bold.

    Args:
        tables: The tables.
        notes: What a reader must know first, a sentence each.
    """
    lines = [f"**{inline(note)}**\n" for note in notes]
    for table in tables:
        lines += [
            f"## {inline(table.title)}",
            "",
            inline(table.caption),
            "",
            *_lines(table.shown()),
            "",
        ]
    return "".join(f"{line}\n" for line in lines).rstrip("\n") + "\n"


def _lines(table: BoardTable) -> Iterator[str]:
    yield f"| target | {' | '.join(inline(column.title) for column in table.columns)} |"
    aligned = ("---" if column.kind == "text" else "---:" for column in table.columns)
    yield f"| --- | {' | '.join(aligned)} |"
    for name, row in zip(table.names, table.rows, strict=True):
        cells = (_words(cell, column) for cell, column in zip(row, table.columns, strict=True))
        yield f"| {inline(name)} | {' | '.join(cells)} |"


def _words(cell: Cell, column: Heading) -> str:
    text = inline(said(cell, column.kind))
    text = f"**{text}**" if cell.best else text
    ends = said_interval(cell, column.kind) if column.kind != "pair" else None
    return text if ends is None else f"{text} ({ends})"


def as_csv(tables: Sequence[BoardTable]) -> str:
    """Write tables as one of CSV, a row a target; shares are in [0, 1]."""
    heads: dict[str, None] = {"target": None, "run": None}
    rows: dict[tuple[str, str], dict[str, Value]] = {}
    for number, table in enumerate(tables):
        prefix = f"{table.name}_" if number and table.name.startswith("beside_paper_") else ""
        for name, run, row in zip(table.names, table.runs, table.rows, strict=True):
            said = rows.setdefault((name, run), {"target": name, "run": run})
            for cell, column in zip(row, table.columns, strict=True):
                said |= {f"{prefix}{key}": value for key, value in _fields(cell, column)}
    for said in rows.values():
        heads |= dict.fromkeys(said)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([escape_formula(said.get(head)) for head in heads] for said in rows.values())
    return text.getvalue()


def _fields(cell: Cell, column: Heading) -> Iterator[tuple[str, Value]]:
    yield column.name, cell.value
    if column.kind in ("share", "index", "pair") and (cell.interval or column.better):
        low, high = cell.interval or (None, None)
        yield f"{column.name}_low", low
        yield f"{column.name}_high", high
    if column.kind == "pair":
        yield column.name.replace("asr_", "sri_", 1), cell.beside


def as_json(tables: Sequence[BoardTable], notes: Sequence[str] = ()) -> str:
    """Write tables as JSON, a list of targets for each; shares are in [0, 1].

    Args:
        tables: The tables.
        notes: What a reader must know first, a sentence each.
    """
    said = {
        "notes": list(notes),
        "tables": [
            {
                "name": table.name,
                "title": table.title,
                "caption": table.caption,
                "targets": [
                    {
                        "target": name,
                        "run": run,
                        **{
                            key: value
                            for cell, column in zip(row, table.columns, strict=True)
                            for key, value in _fields(cell, column)
                        },
                    }
                    for name, run, row in zip(table.names, table.runs, table.rows, strict=True)
                ],
            }
            for table in tables
        ],
    }
    return msgspec.json.format(msgspec.json.encode(said), indent=2).decode() + "\n"
