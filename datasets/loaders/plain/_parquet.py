"""Loads Parquet files with a column mapping."""

from collections.abc import Iterator
from pathlib import Path

from ...tables import parquet_objects
from ..base import Loader, LoaderOptions, Row, Unusable
from ._table import SETTINGS, PlainRows


class _PlainParquet:
    name = "parquet"
    title = "Any Parquet"
    license = "as the set says"
    home = ""
    about = "read a few rows at a time, needed columns alone; columns by --map"
    needs = "a .parquet file, and pyarrow (the extra `parquet`)"
    settings = SETTINGS
    maps = True

    def recognizes(self, path: Path) -> bool:
        if not path.is_file():
            return False
        if path.suffix.lower() == ".parquet":
            return True  # if it is none after all, its reader says so
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        rows = PlainRows(path, options)
        return rows.items(parquet_objects(path, rows.wanted))


LOADER: Loader = _PlainParquet()
