"""Loads datasets of the Hugging Face hub by name; downloads only what is named."""

import os
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

from ....common import DatasetError, require
from ....common.text import quoted, short_reason
from ...tables import Object, as_object
from ..base import Loader, LoaderOptions, Row, Unusable
from ._table import SETTINGS, PlainRows

_NAME = re.compile(r"(?:hf:)?(?P<name>[\w.-]+/[\w.-]+)(?::(?P<split>[\w.-]+))?")


class _Named(NamedTuple):
    name: str
    split: str | None


class _HuggingFace:
    name = "hf"
    title = "Any data set of the Hugging Face hub"
    license = "as the set says"
    home = ""
    about = "fetched from the hub row by row, only when you name one; columns by --map"
    needs = "hf:OWNER/NAME or hf:OWNER/NAME:SPLIT, and Hugging Face's library (the extra `hf`)"
    settings: Mapping[str, str] = MappingProxyType(
        {
            **SETTINGS,
            "config": "configuration of the set, where it has several",
            "revision": "commit, branch or tag, so that the set stays the same",
        }
    )
    maps = True

    def recognizes(self, path: Path) -> bool:
        return False  # a path is never taken for a name

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        named = _parsed(path)
        rows = PlainRows(path, options)
        return rows.items(_fetched(path, named, options.settings, rows))


def _parsed(path: Path) -> _Named:
    found = _NAME.fullmatch(path.as_posix())
    if found is None:
        raise DatasetError(f"{quoted(path.as_posix())} must be OWNER/NAME or OWNER/NAME:SPLIT")
    return _Named(found["name"], found["split"])


def _fetched(
    path: Path, named: _Named, settings: Mapping[str, str], rows: PlainRows
) -> Iterator[tuple[str, Object]]:
    library = _library()
    try:
        table = _opened(library, path, named, settings)
        names: list[str] | None = table.column_names
        if names is not None:
            table = table.select_columns(rows.wanted(names))
        for number, values in enumerate(table, start=1):
            yield f"row {number}", as_object(values)
    except DatasetError:
        raise
    except Exception as error:  # the library passes on those of a dozen others
        raise DatasetError(f"{path}: cannot be fetched: {short_reason(error, 200)}") from error


def _opened(library: ModuleType, path: Path, named: _Named, settings: Mapping[str, str]) -> Any:
    """Open a dataset as an iterable of rows, with pictures and audio as bytes."""
    table = library.load_dataset(
        named.name,
        settings.get("config"),
        split=named.split,
        revision=settings.get("revision"),
        streaming=True,
    )
    if named.split is None:
        splits = list(table)
        if len(splits) != 1:
            raise DatasetError(
                f"{path}: has several splits: write {path}:{splits[0]}, or name another of "
                f"{', '.join(splits)}"
            )
        table = table[splits[0]]
    return table.decode(False)


def _library() -> ModuleType:
    """Import Hugging Face's `datasets`, not this package's folder of that name.

    Raises:
        DatasetError: It is not installed, or something else of that name comes first.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    require("a set of the Hugging Face hub", "datasets", error=DatasetError)
    found = find_spec("datasets")
    place = Path((found and found.origin) or "datasets")
    hidden = DatasetError(
        f"{place} hides Hugging Face's library `datasets`: run the command `safejury`, or "
        "start Python in another folder"
    )
    if place.parent.resolve() == Path(__file__).resolve().parents[2]:  # importing ours fails
        raise hidden
    library = import_module("datasets")
    if not hasattr(library, "IterableDataset"):
        raise hidden
    library.disable_progress_bars()
    for each in (library.utils.logging, import_module("huggingface_hub").logging):
        each.set_verbosity_error()  # what goes wrong is said once, at the end
    return library


LOADER: Loader = _HuggingFace()
