"""Reads Parquet, a few rows at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...common import DatasetError, import_extra
from ...common.files import refuse_pointer
from ...common.text import quoted, short_reason
from ._values import Object, RowError, as_object

_ROWS_AT_ONCE = 64
_BUFFER_BYTES = 1 << 16


def parquet_objects(
    path: Path, wanted: Callable[[list[str]], list[str]] | None = None
) -> Iterator[tuple[str, Object | RowError]]:
    """Yield each row as an object, with its place.

    A row that cannot be read comes as the error that says why.

    Args:
        path: The file; it may be far larger than memory.
        wanted: Takes all columns' names and returns those that are to be read; all are
            unless given.

    Raises:
        DatasetError: It is no Parquet file, two columns that are to be read have the same
            name, or pyarrow is not installed.
    """
    refuse_pointer(path)
    what = f"{path}: reading Parquet"
    arrow = import_extra(what, "pyarrow", error=DatasetError)
    parquet = import_extra(what, "pyarrow.parquet", error=DatasetError)
    number = 0
    try:
        # Else whole columns of a row group would be read at once.
        piecewise = {"pre_buffer": False, "buffer_size": _BUFFER_BYTES}
        with parquet.ParquetFile(path, **piecewise) as table:
            names: list[str] = list(table.schema_arrow.names)
            columns = names if wanted is None else wanted(names)
            _refuse_twins(path, names, columns)
            for batch in table.iter_batches(_ROWS_AT_ONCE, columns=columns):
                for values in _rows(batch):
                    number += 1
                    yield f"row {number}", values
    except (arrow.ArrowException, ValueError, OSError) as error:  # names need not be UTF-8
        raise DatasetError(
            f"{path}: not a Parquet file that can be read ({error}): is it damaged or cut off?"
        ) from None


def _refuse_twins(path: Path, names: list[str], columns: list[str]) -> None:
    for name in columns:
        if names.count(name) > 1:
            raise DatasetError(f"{path}: two columns are called {quoted(name)}: rename one of them")


def _rows(batch: Any) -> Iterator[Object | RowError]:
    """Yield the rows of a batch; read one by one if some are unreadable."""
    try:
        rows = batch.to_pylist()
    except (ValueError, OverflowError):  # no UTF-8, a time out of Python's range, …
        for number in range(batch.num_rows):
            yield _row(batch.slice(number, 1))
    else:
        yield from map(as_object, rows)


def _row(batch: Any) -> Object | RowError:
    values: Object = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            values[name] = column[0].as_py()
        except (ValueError, OverflowError) as error:
            return RowError(f"its {quoted(name)} cannot be read ({short_reason(error)})")
    return values
