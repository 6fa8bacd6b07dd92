"""Files that hold one JSON object a line, or a list of objects."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from ._decode import decode
from ._json_file import BrokenJson, JsonFile
from ._row import Unreadable
from ._values import Object, found, is_object

MAX_LINE_BYTES = 64 * 1024 * 1024
"""Longest line that is read; pictures may be written into it."""


def json_objects(path: Path) -> Iterator[tuple[str, Object | Unreadable]]:
    """Yield the objects of a file with their places, one at a time."""
    with path.open("rb") as file:
        listed = file.read(1024).removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"["
    yield from _elements(path) if listed else _lines(path)


def _lines(path: Path) -> Iterator[tuple[str, Object | Unreadable]]:
    for number, raw in lines_of(path):
        place = f"line {number}"
        if raw is None:
            limit = MAX_LINE_BYTES // (1024 * 1024)
            yield place, Unreadable(place, f"longer than {limit} MiB; is this a JSONL file?")
        elif raw.strip():
            yield place, _object(place, raw)


def _object(place: str, raw: bytes) -> Object | Unreadable:
    try:
        value = decode(raw)
    except ValueError as error:
        return Unreadable(place, str(error))
    if not is_object(value):
        return Unreadable(place, f"must hold a JSON object, not {found(value)}")
    return value


def _elements(path: Path) -> Iterator[tuple[str, Object | Unreadable]]:
    with JsonFile(path) as document:
        number = 0
        try:
            for at in document.elements(document.root):
                number += 1
                place = f"item {number}"
                value = document.value(at)
                if is_object(value):
                    yield place, value
                else:
                    yield place, Unreadable(place, f"must be a JSON object, not {found(value)}")
        except BrokenJson as error:
            place = f"line {error.line}"
            yield place, Unreadable(place, str(error))


def lines_of(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield the numbered lines of a file, None for one that is too long to hold."""
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            if number == 1:
                raw = raw.removeprefix(codecs.BOM_UTF8)
            if len(raw) <= MAX_LINE_BYTES:
                yield number, raw
                continue
            yield number, None
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(MAX_LINE_BYTES)
