"""Parquet, a few rows at a time."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from .._errors import DatasetError
from ._values import Object, as_object

_ROWS_AT_ONCE = 64
_BUFFER_BYTES = 1 << 16


def parquet_objects(
    path: Path, wanted: Callable[[list[str]], list[str]] | None = None
) -> Iterator[tuple[str, Object]]:
    """Yield places and rows by column.

    Args:
        path: The file; it may be far larger than memory.
        wanted: Takes all columns' names and returns those that are to be read; all are
            unless given.

    Raises:
        DatasetError: It is no Parquet file, or pyarrow is not installed.
    """
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise DatasetError(
            f"{path}: reading Parquet needs pyarrow: pip install 'safejury[parquet]'"
        ) from None
    number = 0
    try:
        # Else whole columns of a row group would be read at once.
        piecewise = {"pre_buffer": False, "buffer_size": _BUFFER_BYTES}
        with parquet.ParquetFile(path, **piecewise) as table:
            names: list[str] = list(table.schema_arrow.names)
            columns = names if wanted is None else wanted(names)
            for batch in table.iter_batches(_ROWS_AT_ONCE, columns=columns):
                for values in batch.to_pylist():
                    number += 1
                    yield f"row {number}", as_object(values)
    except (arrow.ArrowException, ValueError, OSError) as error:  # names need not be UTF-8
        raise DatasetError(
            f"{path}: not a Parquet file that can be read ({error}): is it damaged or cut off?"
        ) from None
