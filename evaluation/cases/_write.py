"""Writes rows to files, one group of rows at a time in memory."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, TextIO

from ...common import import_extra
from ...common.text import escape_formula
from ._columns import Column, Kind

_GROUP = 10_000
"""Rows of a group of a Parquet file."""
_LINES = ("question", "answer", "reason", "detail")
"""Columns whose lines stay apart."""
Row = Mapping[str, Any]


def write_csv(rows: Iterable[Row], columns: Sequence[Column], out: TextIO) -> None:
    """Write rows as CSV, with a head.

    What is not known is empty, a list is JSON. A text that a spreadsheet would run as a formula
    starts with `'`.
    """
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([escape_formula(column.name) for column in columns])
    names = [(column.name, column.kind, column.name in _LINES) for column in columns]
    for row in rows:
        writer.writerow([_cell(row.get(name), kind, lines) for name, kind, lines in names])


def _cell(value: Any, kind: Kind, lines: bool) -> object:
    if value is None:
        return None
    match kind:
        case Kind.TEXT:
            return escape_formula(value, lines=lines)
        case Kind.BOOLEAN:
            return "true" if value else "false"
        case Kind.LIST:
            return json.dumps(value)
        case _:
            return value


def write_jsonl(rows: Iterable[Row], columns: Sequence[Column], out: TextIO) -> None:
    """Write rows as JSON, one a line; what is not known is null.

    Characters beyond ASCII are escaped, so that texts cannot control a terminal.
    """
    names = [column.name for column in columns]
    out.writelines(
        json.dumps({name: row.get(name) for name in names}, allow_nan=False) + "\n" for row in rows
    )


def write_parquet(rows: Iterable[Row], columns: Sequence[Column], out: BinaryIO) -> None:
    """Write rows as Parquet, in groups of 10,000.

    Raises:
        ConfigurationError: pyarrow is not installed.
    """
    arrow = import_extra("writing Parquet", "pyarrow")
    parquet = import_extra("writing Parquet", "pyarrow.parquet")
    types = {
        Kind.TEXT: arrow.string(),
        Kind.INTEGER: arrow.int64(),
        Kind.NUMBER: arrow.float64(),
        Kind.BOOLEAN: arrow.bool_(),
        Kind.LIST: arrow.list_(arrow.string()),
    }
    schema = arrow.schema([(column.name, types[column.kind]) for column in columns])
    with parquet.ParquetWriter(out, schema) as file:
        for group in _groups(rows):
            file.write_table(arrow.Table.from_pylist(group, schema=schema))


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while group := list(islice(left, _GROUP)):
        yield group
