"""Lines of JSON, or one list of objects, by a column mapping."""

from collections.abc import Iterator
from pathlib import Path

from ..tables import json_objects
from ._loader import Loader, LoaderOptions, Row, Unusable
from ._plain import SETTINGS, PlainRows


class _PlainJsonl:
    name = "jsonl"
    title = "Any JSONL or JSON list"
    licence = "as the set says"
    home = ""
    about = "one object a line or in a list; columns by --map, dotted paths too"
    needs = "a .jsonl or .json file"
    settings = SETTINGS
    maps = True

    def recognises(self, path: Path) -> bool:
        return path.is_file() and path.suffix.lower() in (".jsonl", ".json", ".ndjson")

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        return PlainRows(path, options).items(json_objects(path))


LOADER: Loader = _PlainJsonl()
