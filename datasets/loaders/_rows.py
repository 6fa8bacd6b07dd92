"""Rows that a program has in memory, read as a plain table is."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

from ...common import DatasetError
from ...common.text import quoted
from ..tables import Object, RowError
from ._read import LoadedSet
from .base import Loader, LoaderOptions, Row, Unusable
from .plain import SETTINGS, PlainRows


class _Rows:
    title = "Rows in memory"
    license = "as the set says"
    home = ""
    about = "a table of a program's own"
    needs = "mappings of columns to values"
    settings = SETTINGS
    maps = True

    def __init__(self, name: str, rows: Iterable[object]) -> None:
        self.name = name
        self._given = rows

    def recognizes(self, path: Path) -> bool:
        return False

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        places = ((f"row {number}", _object(row)) for number, row in enumerate(self._given, 1))
        return PlainRows(path, options).items(places)


def _object(row: object) -> Object | RowError:
    if isinstance(row, Mapping):
        return {str(key): value for key, value in cast("Mapping[object, object]", row).items()}
    return RowError(f"is {quoted(repr(row))}, and not a mapping of columns to values")


def load_rows(
    rows: Iterable[object],
    *,
    name: str = "table",
    mapping: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    categories: str | Path | None = None,
) -> LoadedSet:
    """Load a table that is in memory; rows that cannot be used are left out and listed.

    Pictures and sounds are named relative to the current directory.

    Args:
        rows: Mappings of columns to values, as JSON has them.
        name: What messages call the table.
        mapping: Which column is what, such as `{"text": "prompt"}`; see `load_set`.
        settings: See `load_set`.
        categories: See `load_set`.

    Raises:
        DatasetError: A setting is unknown, or nothing can be used.
    """
    loader: Loader = _Rows(name, rows)
    for setting in settings or {}:
        if setting not in SETTINGS:
            raise DatasetError(
                f"{name} has no setting {quoted(setting)}; known are {', '.join(SETTINGS)}"
            )
    options = LoaderOptions(dict(mapping or {}), dict(settings or {}), categories)
    return LoadedSet(loader, Path(name).absolute(), options)
