"""CSV with any delimiter, in any encoding, one row at a time."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from .._errors import DatasetError
from .._nearest import quoted
from ._values import Object, RowError

DELIMITERS = ",;\t|"
_MAX_FIELD = 16 * 1024 * 1024
"""Longest field in characters; a longer one means that a quote is never closed."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row.

    Attributes:
        number: From 1, the header not counted.
        line: Line on which it ends, from 1.
        cells: What it holds, or why it cannot be used.
    """

    number: int
    line: int
    cells: list[str] | RowError

    @property
    def place(self) -> str:
        """Where it stands, in words; the line too where that helps to find what is wrong."""
        where = f"row {self.number}"
        return f"{where} (line {self.line})" if isinstance(self.cells, RowError) else where


class CsvTable:
    """A CSV file whose rows are read anew by each `rows`.

    Args:
        path: The file.
        encoding: Name of its encoding; by its byte order mark, else UTF-8, unless given.
        header: Whether the first row names the columns.

    Attributes:
        names: The columns' names, none without a header.

    Raises:
        DatasetError: The encoding is not known, or the header cannot be used.
        OSError: The file cannot be read.
    """

    def __init__(self, path: Path, *, encoding: str | None = None, header: bool = True) -> None:
        self._path = path
        self._header = header
        self._not_utf8 = "not UTF-8; " + (
            "save the file as UTF-8" if encoding else "name its encoding, or save the file as UTF-8"
        )
        self._encoding = _known(encoding) if encoding else _marked(path)
        with self._open() as file:
            first = _first_line(file)
            self._delimiter = delimiter_of(first) if header else ","
        self.names: list[str] = []
        if header:
            with self._open() as file:
                self.names = self._read_header(file)

    def rows(self) -> Iterator[CsvRow]:
        """Yield the rows; blank lines are none."""
        with self._open() as file:
            lines = csv.reader(file, delimiter=self._delimiter, strict=True)
            if self._header:
                next(lines, None)
            number = 0
            while True:
                number += 1
                try:
                    cells = self._cells(lines)
                except StopIteration:
                    return
                except (csv.Error, UnicodeError) as error:
                    yield CsvRow(number, lines.line_num, _broken(error))
                    if isinstance(error, UnicodeError):
                        return  # a decoder that stumbled finds no further line
                else:
                    yield CsvRow(number, lines.line_num, cells)

    def objects(self) -> Iterator[tuple[str, Object | RowError]]:
        """Yield places and rows by column."""
        for row in self.rows():
            if isinstance(row.cells, RowError):
                yield row.place, row.cells
            else:
                yield row.place, dict[str, object](zip(self.names, row.cells, strict=True))

    def _open(self) -> TextIO:
        csv.field_size_limit(_MAX_FIELD)
        # Bytes that are not UTF-8 spoil their own row only.
        errors = "surrogateescape" if self._encoding.startswith("utf-8") else "strict"
        return self._path.open(encoding=self._encoding, errors=errors, newline="")

    def _read_header(self, file: TextIO) -> list[str]:
        try:
            lines = csv.reader(file, delimiter=self._delimiter, strict=True)
            names = [name.strip() for name in next(lines, list[str]())]
            "".join(names).encode()
        except csv.Error as error:
            raise DatasetError(f"{self._path}:1: {_broken(error)}") from None
        except UnicodeError:
            raise DatasetError(f"{self._path}:1: {self._not_utf8}") from None
        for name in names:
            if names.count(name) > 1:
                raise DatasetError(
                    f"{self._path}: two columns are called {quoted(name)}: rename one of them"
                )
        return names

    def _cells(self, lines: Iterator[list[str]]) -> list[str] | RowError:
        cells = next(lines)
        while not cells:  # a blank line
            cells = next(lines)
        if self._header and len(cells) != len(self.names):
            return RowError(
                f"has {len(cells)} fields, but there are {len(self.names)} columns: "
                "is a quote missing?"
            )
        try:
            "".join(cells).encode()
        except UnicodeEncodeError:
            return RowError(self._not_utf8)
        return cells


def delimiter_of(line: str) -> str:
    """Return what separates the cells of a header."""
    outside = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _first_line(file: TextIO) -> str:
    try:
        return "".join(islice(file, 1))
    except UnicodeError:
        return ""


def _known(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except (LookupError, UnicodeError, ValueError):
        raise DatasetError(
            f"the encoding {quoted(encoding)} is not known: write utf-8, cp1252, gb18030, …"
        ) from None
    return "utf-8-sig" if name == "utf-8" else name


def _marked(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4)
    return next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")


def _broken(error: csv.Error | UnicodeError) -> RowError:
    if isinstance(error, UnicodeError):
        return RowError("has bytes that its encoding does not know: name the one that it has")
    return RowError(f"not CSV ({error}): a quote is missing, or stands single within quotes")
