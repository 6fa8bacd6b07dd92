"""Loads JSON Lines, or a list of objects, with a column mapping."""

from collections.abc import Iterator
from pathlib import Path

from ....common.text import quoted
from ...tables import OneObject, json_objects, list_names, list_within
from ..base import Loader, LoaderOptions, Row, Unusable
from ._table import SETTINGS, PlainRows


class _PlainJsonl:
    name = "jsonl"
    title = "Any JSONL or JSON list"
    license = "as the set says"
    home = ""
    about = 'one object a line, in a list or in {"data": [...]}; columns by --map, dotted paths too'
    needs = "a .jsonl or .json file"
    settings = SETTINGS
    maps = True

    def recognizes(self, path: Path) -> bool:
        return path.is_file() and path.suffix.lower() in (".jsonl", ".json", ".ndjson")

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        rows = PlainRows(path, options)
        within = list_within(path, rows.may_hold, _no_items)
        return rows.items(json_objects(path, within))


def _no_items(found: OneObject) -> str:
    """Return an error for a document without items, with advice."""
    if len(found.lists) == 1:
        ((key, names),) = found.lists.items()
        return (
            f"is one JSON object, and the items of its list {quoted(key)} have no 'text'; their "
            f"keys are {list_names(names)}: say which holds what is asked with --map text=KEY"
        )
    return (
        f"is one JSON object, not a line or an entry of a list for each item; its keys are "
        f"{list_names(found.keys)}: save the items as JSON lines or as a list, or say with "
        "--map text=KEY which key of this one item holds what is asked"
    )


LOADER: Loader = _PlainJsonl()
