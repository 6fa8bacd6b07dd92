"""Reads Parquet, a few rows at a time, with a column mapping."""

from collections.abc import Iterator
from pathlib import Path

from .....datasets.tables import RowError, parquet_objects
from ..base import Columns, Reader, ReadOptions, Row, Sample, unreadable


def _rows(path: Path, options: ReadOptions) -> Iterator[Row]:
    columns = Columns(options)

    def wanted(names: list[str]) -> list[str]:
        columns.check(names, path)
        return columns.wanted(names)

    for place, values in parquet_objects(path, wanted):
        if isinstance(values, RowError):
            yield unreadable(place, values)
        else:
            yield columns.read(place, values)


def _detects(sample: Sample) -> bool:
    return sample.head.startswith(b"PAR1") or sample.path.suffix.lower() == ".parquet"


READER = Reader("parquet", "a Parquet table", _detects, _rows, maps=True)
