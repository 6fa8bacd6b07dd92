"""Reads the rows of a JSONL, JSON or CSV file, all of which must be readable."""

import codecs
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isnan, nan
from pathlib import Path

from ....common import ConfigurationError, DatasetError
from ....common.files import not_ready
from ....common.text import quoted
from ....datasets.tables import CsvTable, Object, RowError, describe, json_objects

_CSV, _JSON = (".csv", ".tsv"), (".json", ".jsonl", ".ndjson")
_HEAD = 1024
"""Bytes that tell JSON from CSV."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        path: The file.
        place: Where it is, such as `line 12`.
        values: By column; all are text where the file is CSV.
    """

    path: Path
    place: str
    values: Mapping[str, object]

    def wrong(self, why: str) -> ConfigurationError:
        """Return the error for this row."""
        return ConfigurationError(f"{self.path}: {self.place}: {why}")

    def named(self, columns: Iterable[str]) -> str | None:
        """Return the first of some columns that the row has a value in, None if there is none."""
        return next((name for name in columns if not is_empty(self.values.get(name))), None)

    def text(self, column: str) -> str:
        """Return a value as text without space around it; empty if there is none.

        Raises:
            ConfigurationError: It is no text and no whole number.
        """
        value = self.values.get(column)
        if is_empty(value):
            return ""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise self.wrong(f"{column} must be text, not {described(value)}")
        return value.strip()

    def number(self, column: str) -> float | None:
        """Return a value as a number; None if there is none, NaN if it is no number."""
        value = self.values.get(column)
        if is_empty(value):
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return nan
        try:
            return float(value)
        except (ValueError, OverflowError):
            return nan

    @property
    def columns_found(self) -> str:
        """The row's columns, for a message on one that is missing."""
        return f"columns found: {', '.join(map(quoted, self.values)) or 'none'}"

    def id(self, columns: tuple[str, ...], what: str) -> str:
        """Return what is in the first of some columns that has a value.

        Raises:
            ConfigurationError: None has.
        """
        column = self.named(columns)
        if column is None:
            raise self.wrong(
                f"{what} is missing: put it into the column {columns[0]!r} ({self.columns_found})"
            )
        return self.text(column)


def read_rows(path: Path, what: str) -> Iterator[Row]:
    """Yield the rows of a file.

    Args:
        path: The file: CSV by its name or its first character, else JSON, an object a line or a
            list of them.
        what: What the file is called in messages, such as `labels`.

    Raises:
        ConfigurationError: The file cannot be read or is empty, or one of its rows is damaged.
    """
    none = True
    try:
        for place, found in _objects(path, what):
            none = False
            if isinstance(found, RowError):
                raise ConfigurationError(f"{path}: {place}: {found}")
            yield Row(path, place, found)
    except DatasetError as error:
        raise ConfigurationError(str(error)) from None
    except FileNotFoundError:
        raise ConfigurationError(f"{what}: {path} does not exist") from None
    except OSError as error:
        raise ConfigurationError(f"{what}: {path} cannot be read ({error.strerror})") from None
    if none:
        raise ConfigurationError(f"{what}: {path} has no rows")


def is_empty(value: object) -> bool:
    """Return whether a cell says nothing: null, or no text but space."""
    return value is None or (isinstance(value, str) and not value.strip())


def described(value: object) -> str:
    """Describe a value for a message."""
    return "NaN" if isinstance(value, float) and isnan(value) else describe(value)


def _objects(path: Path, what: str) -> Iterator[tuple[str, Object | RowError]]:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if why := not_ready(head):
        raise ConfigurationError(f"{what}: {path} {why}")
    if _is_csv(path, head):
        return CsvTable(path).objects()
    return json_objects(path)


def _is_csv(path: Path, head: bytes) -> bool:
    if (ending := path.suffix.lower()) in _CSV + _JSON:
        return ending in _CSV
    return head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] not in (b"{", b"[")
