"""Loaders for datasets of other projects, read from a local copy."""

from ._find import BUNDLED, dataset_path, find_set, resolve_categories, split_loader
from ._read import LoadedSet, load_set
from ._registry import BY_NAME, LOADERS, loader_for, loader_named
from ._rows import load_rows

__all__ = [
    "BUNDLED",
    "BY_NAME",
    "LOADERS",
    "LoadedSet",
    "dataset_path",
    "find_set",
    "load_rows",
    "load_set",
    "loader_for",
    "loader_named",
    "resolve_categories",
    "split_loader",
]
