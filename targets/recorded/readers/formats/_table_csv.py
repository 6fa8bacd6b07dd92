"""Reads CSV with any delimiter, with a column mapping."""

from collections.abc import Iterator
from pathlib import Path

from .....datasets.tables import DELIMITERS, CsvTable, RowError
from ..base import Columns, Reader, ReadOptions, Row, Sample, unreadable


def _rows(path: Path, options: ReadOptions) -> Iterator[Row]:
    columns = Columns(options)
    table = CsvTable(path, encoding="utf-8")
    columns.check(table.names, path)
    for place, values in table.objects():
        if isinstance(values, RowError):
            yield unreadable(place, values)
        else:
            yield columns.read(place, values)


def _detects(sample: Sample) -> bool:
    if sample.head.lstrip()[:1] in (b"{", b"[") or b"\0" in sample.head:
        return False
    header = sample.head.split(b"\n", 1)[0].decode(errors="replace")
    return any(sign in header for sign in DELIMITERS) or sample.path.suffix.lower() == ".csv"


READER = Reader("csv", "a CSV table", _detects, _rows, maps=True)
