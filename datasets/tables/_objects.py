"""Reads files with one JSON object a line, or with a list of objects."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from ...common.text import numbered_lines
from ._decode import decode
from ._json_file import BrokenJson, JsonFile
from ._values import Object, RowError, UnreadError, describe, is_object

MAX_LINE_BYTES = 64 * 1024 * 1024
"""Longest line that is read; pictures may be written into it."""


def json_objects(path: Path, within: str | None = None) -> Iterator[tuple[str, Object | RowError]]:
    """Yield the objects of a file one at a time, with places such as `line 12`.

    An object that cannot be read comes as the error that says why.

    Args:
        path: The file: lines, or a list.
        within: The key of the list, where the file is an object that holds it.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        listed = file.read(1024).removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"["
    yield from _elements(path, within) if listed or within is not None else _lines(path)


def _lines(path: Path) -> Iterator[tuple[str, Object | RowError]]:
    for number, raw in numbered_lines(path, MAX_LINE_BYTES):
        place = f"line {number}"
        if raw is None:
            limit = MAX_LINE_BYTES // (1024 * 1024)
            yield place, RowError(f"longer than {limit} MiB; is this a JSONL file?")
        elif raw.strip():
            yield place, _object(raw)


def _object(raw: bytes) -> Object | RowError:
    try:
        value = decode(raw)
    except ValueError as error:
        return RowError(str(error))
    return (
        value if is_object(value) else RowError(f"must hold a JSON object, not {describe(value)}")
    )


def _elements(path: Path, within: str | None) -> Iterator[tuple[str, Object | RowError]]:
    with JsonFile(path) as document:
        number = 0
        try:
            inner = None if within is None else document.member(document.root, within)
            for at in document.elements(document.root if inner is None else inner):
                number += 1
                place = f"item {number}"
                value = document.value(at)
                if is_object(value) or isinstance(value, RowError):
                    yield place, value
                else:
                    yield place, RowError(f"must be a JSON object, not {describe(value)}")
        except BrokenJson as error:
            yield f"line {error.line}", UnreadError(str(error), rest=True)
