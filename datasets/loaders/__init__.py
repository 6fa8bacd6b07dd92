"""Loaders: sets of other projects, read from where the user has them."""

from ._loader import Loader, LoaderOptions, Row, Unusable
from ._registry import BY_NAME, LOADERS, loader_named, recognised

__all__ = [
    "BY_NAME",
    "LOADERS",
    "Loader",
    "LoaderOptions",
    "Row",
    "Unusable",
    "loader_named",
    "recognised",
]
