"""Parquet, a few rows at a time, by a column mapping."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from ...datasets import ConfigurationError
from ._columns import Columns
from ._reader import Reader, Sample
from ._row import Row, RowError, Unreadable
from ._values import as_object

_ROWS_AT_ONCE = 64


def _rows(path: Path, mapping: Mapping[str, str]) -> Iterator[Row]:
    columns = Columns(mapping)
    number = 0
    for batch in _batches(path, columns):
        for values in batch.to_pylist():
            number += 1
            place = f"row {number}"
            try:
                yield columns.row(place, as_object(values))
            except RowError as error:
                yield Unreadable(place, str(error))


def _batches(path: Path, columns: Columns) -> Iterator[Any]:
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise ConfigurationError(
            f"{path}: reading Parquet needs pyarrow: pip install 'safejury[parquet]'"
        ) from None
    try:
        with parquet.ParquetFile(path) as table:
            names: list[str] = list(table.schema_arrow.names)
            columns.check(names, path)
            wanted = columns.wanted(names)
            yield from table.iter_batches(batch_size=_ROWS_AT_ONCE, columns=wanted)
    except (arrow.ArrowException, OSError) as error:
        raise ConfigurationError(
            f"{path}: not a Parquet file that can be read ({error}): is it damaged or cut off?"
        ) from None


def _detects(sample: Sample) -> bool:
    return sample.head.startswith(b"PAR1") or sample.path.suffix.lower() == ".parquet"


READER = Reader("parquet", "a Parquet table", _detects, _rows, maps=True)
