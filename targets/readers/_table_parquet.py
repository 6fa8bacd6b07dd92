"""Parquet, a few rows at a time, by a column mapping."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ...datasets.tables import RowError, parquet_objects
from ._columns import Columns
from ._reader import Reader, Sample
from ._row import Row, unreadable


def _rows(path: Path, mapping: Mapping[str, str]) -> Iterator[Row]:
    columns = Columns(mapping)

    def wanted(names: list[str]) -> list[str]:
        columns.check(names, path)
        return columns.wanted(names)

    for place, values in parquet_objects(path, wanted):
        try:
            if isinstance(values, RowError):
                raise values
            yield columns.row(place, values)
        except RowError as error:
            yield unreadable(place, error)


def _detects(sample: Sample) -> bool:
    return sample.head.startswith(b"PAR1") or sample.path.suffix.lower() == ".parquet"


READER = Reader("parquet", "a Parquet table", _detects, _rows, maps=True)
