"""Loads CSV files with a column mapping."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from ...tables import CsvTable
from ..base import Loader, LoaderOptions, Row, Unusable
from ._table import SETTINGS, PlainRows


class _PlainCsv:
    name = "csv"
    title = "Any CSV"
    license = "as the set says"
    home = ""
    about = "a header and rows, with , ; | or tab between; columns by --map"
    needs = "a .csv or .tsv file"
    settings = MappingProxyType(
        {
            **SETTINGS,
            "encoding": "such as cp1252; by its byte order mark, else UTF-8, unless given",
        }
    )
    maps = True

    def recognizes(self, path: Path) -> bool:
        return path.is_file() and path.suffix.lower() in (".csv", ".tsv")

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        rows = PlainRows(path, options)
        table = CsvTable(path, encoding=options.settings.get("encoding"))
        rows.wanted(table.names)
        return rows.items(table.objects())


LOADER: Loader = _PlainCsv()
