"""CSV with any delimiter, by a column mapping."""

import csv
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from ...datasets import ConfigurationError
from ...datasets._nearest import quoted
from ._columns import Columns
from ._reader import Reader, Sample
from ._row import Row, RowError, Unreadable

_MAX_FIELD = 16 * 1024 * 1024
"""Longest field in characters; a longer one means that a quote is never closed."""
_DELIMITERS = ",;\t|"


def _rows(path: Path, mapping: Mapping[str, str]) -> Iterator[Row]:
    columns = Columns(mapping)
    csv.field_size_limit(_MAX_FIELD)
    # Bytes that are not UTF-8 spoil their own row only.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        delimiter = _delimiter("".join(islice(file, 1)))
        file.seek(0)
        lines = csv.reader(file, delimiter=delimiter)
        names = _header(path, next(lines, list[str]()))
        columns.check(names, path)
        number = 0
        while True:
            number += 1
            place = f"row {number}"
            try:
                cells = next(lines)
                while not cells:  # a blank line
                    cells = next(lines)
                yield columns.row(place, _cells(names, cells))
            except StopIteration:
                return
            except (RowError, csv.Error) as error:
                yield Unreadable(f"{place} (line {lines.line_num})", str(error))


def _delimiter(line: str) -> str:
    outside = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _header(path: Path, names: list[str]) -> list[str]:
    names = [name.strip() for name in names]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(
                f"{path}: two columns are called {quoted(name)}: rename one of them"
            )
    return names


def _cells(names: list[str], cells: list[str]) -> dict[str, object]:
    if len(cells) != len(names):
        raise RowError(
            f"has {len(cells)} fields, but there are {len(names)} columns: is a quote missing?"
        )
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        raise RowError("not UTF-8; save the file as UTF-8") from None
    return dict(zip(names, cells, strict=True))


def _detects(sample: Sample) -> bool:
    if sample.head.lstrip()[:1] in (b"{", b"[") or b"\0" in sample.head:
        return False
    header = sample.head.split(b"\n", 1)[0].decode(errors="replace")
    return any(sign in header for sign in _DELIMITERS) or sample.path.suffix.lower() == ".csv"


READER = Reader("csv", "a CSV table", _detects, _rows, maps=True)
