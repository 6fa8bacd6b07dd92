"""Reads CSV with any delimiter and encoding, one row at a time."""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from ...common import DatasetError
from ...common.files import refuse_pointer
from ...common.text import quoted
from ._values import Object, RowError, UnreadError

DELIMITERS = ",;\t|"
_MAX_FIELD = 16 * 1024 * 1024
"""Longest field in characters; a longer one means that a quote is never closed."""
_MAX_LINE = 2 * _MAX_FIELD
"""Longest line in characters."""
_NOT_CSV = "not CSV ({}): a quote is missing, or stands single within quotes"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATOR = re.compile(r'"?sep=([^"\r\n])"?[\r\n]*')
"""First line by which spreadsheet programs say what stands between the cells."""


def _spoil(error: UnicodeError) -> tuple[str, int]:
    """Replace undecodable bytes by a marker and go on."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


_SPOIL = "safejury.spoil"
codecs.register_error(_SPOIL, _spoil)


class _LongLineError(ValueError):
    """A line is longer than the limit."""

    def __init__(self) -> None:
        super().__init__(f"a line is longer than {_MAX_LINE // 1024**2} million characters")


class _Lines(Protocol):
    """The part of `csv.reader` used here."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row of a CSV file.

    Attributes:
        number: From 1, the header not counted.
        line: Line on which it begins, from 1.
        last: Line on which it ends.
        cells: What it holds, or why it cannot be used.
    """

    number: int
    line: int
    last: int
    cells: list[str] | RowError

    @property
    def place(self) -> str:
        """The row's place for messages, with the line number where it helps."""
        where = f"row {self.number}"
        return f"{where} (line {self.line})" if isinstance(self.cells, RowError) else where


class CsvTable:
    """A CSV file; each call of `rows` reads it again.

    Args:
        path: The file.
        encoding: Name of its encoding; by its byte order mark, else UTF-8, unless given.
        header: Whether the first row names the columns; blank lines and a line `sep=;` may
            stand before it.

    Attributes:
        names: The columns' names, none without a header.

    Raises:
        DatasetError: The encoding is not known, the header cannot be used, or Git LFS has left a
            pointer in the place of the file.
        OSError: The file cannot be read.
    """

    def __init__(self, path: Path, *, encoding: str | None = None, header: bool = True) -> None:
        refuse_pointer(path)
        self._path = path
        self._header = header
        self._encoding = _known(encoding) if encoding else _marked(path)
        self._unknown_bytes = _words_for_bytes(self._encoding, named=encoding is not None)
        self._has_declaration = False
        self._delimiter = ","
        self.names: list[str] = []
        if header:
            with self._open() as file:
                self._has_declaration, self._delimiter = _delimiter(file)
            with self._open() as file:
                self.names = self._read_header(file)

    def rows(self) -> Iterator[CsvRow]:
        """Yield the rows; blank lines are skipped.

        Where a quote swallows several lines, each of them comes as a row that is not read,
        because the number of lost rows is unknown.
        """
        with self._open() as file:
            lines = csv.reader(_bounded(file), delimiter=self._delimiter, strict=True)
            if self._header:
                self._first_row(lines)
            number = 0
            while (found := self._next(lines)) is not None:
                line, cells = found
                number += 1
                yield CsvRow(number, line, lines.line_num, cells)
                if isinstance(cells, UnreadError):
                    swallowed = UnreadError(f"is not read, as it may belong to line {line}")
                    for other in range(line + 1, lines.line_num + 1):
                        number += 1
                        yield CsvRow(number, other, other, swallowed)
                    if cells.rest:
                        return

    def objects(self) -> Iterator[tuple[str, Object | RowError]]:
        """Yield each row as an object, with its place."""
        for row in self.rows():
            if isinstance(row.cells, RowError):
                yield row.place, row.cells
            else:
                yield row.place, dict[str, object](zip(self.names, row.cells, strict=True))

    def _open(self) -> TextIO:
        csv.field_size_limit(_MAX_FIELD)
        # Bytes that are not of the encoding spoil their own row only.
        return self._path.open(encoding=self._encoding, errors=_SPOIL, newline="")

    def _read_header(self, file: TextIO) -> list[str]:
        try:
            lines = csv.reader(_bounded(file), delimiter=self._delimiter, strict=True)
            names = [name.strip() for name in self._first_row(lines)]
            "".join(names).encode()
        except _LongLineError as error:
            raise DatasetError(f"{self._path}:1: not CSV: {error}") from None
        except csv.Error as error:
            raise DatasetError(f"{self._path}:1: {_NOT_CSV.format(error)}") from None
        except UnicodeError:
            raise DatasetError(f"{self._path}:1: {self._unknown_bytes}") from None
        for name in names:
            if name and names.count(name) > 1:  # spreadsheets leave columns without a name
                raise DatasetError(
                    f"{self._path}: two columns are called {quoted(name)}: rename one of them"
                )
        return names

    def _first_row(self, lines: Iterator[list[str]]) -> list[str]:
        cells = _not_blank(lines)
        return _not_blank(lines) if self._has_declaration else cells

    def _next(self, lines: _Lines) -> tuple[int, list[str] | RowError] | None:
        """Return the next row and the line on which it begins, None after the last."""
        cells: list[str] = []
        line = 0
        try:
            while not cells:  # a blank line
                line = lines.line_num + 1
                cells = next(lines)
        except StopIteration:
            return None
        except csv.Error as error:
            return line, _unread(_NOT_CSV.format(error), line, lines.line_num)
        except _LongLineError as error:
            return line, UnreadError(f"{error}; the rest of the file is not read", rest=True)
        except UnicodeError:  # a decoder that takes no handler of errors
            return line, UnreadError(
                f"{self._unknown_bytes}; the rest of the file is not read", rest=True
            )
        return line, self._checked(cells, line, lines.line_num)

    def _checked(self, cells: list[str], line: int, last: int) -> list[str] | RowError:
        if self._header and len(cells) != len(self.names):
            return _unread(
                f"has {len(cells)} fields, but there are {len(self.names)} columns: "
                "is a quote missing?",
                line,
                last,
            )
        try:
            "".join(cells).encode()
        except UnicodeEncodeError:
            return RowError(self._unknown_bytes)
        return cells


def _bounded(file: TextIO) -> Iterator[str]:
    """Yield the lines of a file, up to a maximum length.

    Raises:
        _LongLineError: One is too long to be held.
    """
    while line := file.readline(_MAX_LINE):
        if len(line) == _MAX_LINE and not line.endswith(("\n", "\r")):
            raise _LongLineError
        yield line


def delimiter_of(line: str) -> str:
    """Return the delimiter of a header line."""
    outside = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _delimiter(file: TextIO) -> tuple[bool, str]:
    """Return the delimiter, and whether a `sep=` line declares it."""
    try:
        line = next((line for line in _bounded(file) if line.strip()), "")
    except (UnicodeError, _LongLineError):
        return False, ","
    said = _SEPARATOR.fullmatch(line)
    return (False, delimiter_of(line)) if said is None else (True, said[1])


def _not_blank(lines: Iterator[list[str]]) -> list[str]:
    return next((cells for cells in lines if any(map(str.strip, cells))), list[str]())


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


def _words_for_bytes(encoding: str, *, named: bool) -> str:
    """Describe bytes that cannot be decoded in an encoding."""
    if not encoding.startswith("utf-8"):
        return f"has bytes that {encoding} does not know: name the encoding that it has"
    name = "" if named else "name its encoding, or "
    return f"not UTF-8; {name}save the file as UTF-8"


def _unread(why: str, first: int, last: int) -> RowError:
    if first == last:
        return RowError(why)
    return UnreadError(f"{why}; lines {first} to {last} are not read")
