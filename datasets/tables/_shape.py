"""Detects a JSON file that is one object, and finds the list of rows in it."""

import codecs
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ...common import DatasetError
from ...common.text import quoted
from ._decode import decode
from ._json_file import BrokenJson, JsonFile
from ._values import Object, as_object

_MOST_KEYS = 1000
_MOST_LINE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class OneObject:
    """A JSON document that is one object.

    Attributes:
        keys: Its first keys.
        lists: The keys of those of its values that are lists of objects, with the keys of the
            first object in each.
    """

    keys: tuple[str, ...]
    lists: Mapping[str, tuple[str, ...]]


def first_line(path: Path) -> Object:
    """Return the object on a file's first line, an empty one if there is none."""
    with path.open("rb") as file:
        raw = file.readline(_MOST_LINE_BYTES).removeprefix(codecs.BOM_UTF8)
    try:
        return as_object(decode(raw))
    except ValueError:
        return {}


def is_document(path: Path) -> bool:
    """Return whether a file is one JSON list or object, not JSON Lines."""
    if first_line(path):
        return False
    with JsonFile(path) as document:
        if document.opens(document.root) not in ("[", "{"):
            return False
        try:
            document.finish()
        except BrokenJson:
            return False
    return True


def list_within(
    path: Path,
    holds_rows: Callable[[Collection[str]], bool],
    seems: Callable[[OneObject], str],
) -> str | None:
    """Return the key of the list that holds a document's rows, None if there is none.

    Args:
        path: A file of JSON.
        holds_rows: Whether an object with these keys may be a row.
        seems: Says what a document is that holds no rows, and what would work, after the
            file's name.

    Raises:
        DatasetError: The file is one object, and no list in it, or more than one, is that
            of its rows.
    """
    if holds_rows(first_line(path)):
        return None
    found = _one_object(path)
    if found is None:
        return None
    fitting = [key for key, names in found.lists.items() if holds_rows(names)]
    if len(fitting) == 1:
        return fitting[0]
    if holds_rows(found.keys):
        why = "is one row over several lines: write each row on a line of its own, or a list"
    elif fitting:
        why = (
            f"is one JSON object with several lists of rows ({', '.join(map(quoted, fitting))}): "
            "save the one that is meant as a file of its own"
        )
    else:
        why = seems(found)
    raise DatasetError(f"{path}: {why}")


def _one_object(path: Path) -> OneObject | None:
    """Return a document's content if it is one valid object, else None."""
    with JsonFile(path) as document:
        if document.opens(document.root) != "{":
            return None
        try:
            document.finish()
            members = list(islice(document.members(document.root), _MOST_KEYS))
            lists: dict[str, tuple[str, ...]] = {}
            for key, at in members:
                if document.opens(at) == "[":
                    first = next(document.elements(at), None)
                    if document.opens(first) == "{" and first is not None:
                        lists[key] = document.keys(first, _MOST_KEYS)
        except BrokenJson:
            return None  # reading it says where
    return OneObject(tuple(key for key, _ in members), lists)
