"""Shared by all loaders: the interface, and reading media files."""

from ._files import MissingFileError, NoRoomError, SetFiles, place_of, reason, saying_where
from ._loader import Loader, LoaderOptions, Row, Unusable

__all__ = [
    "Loader",
    "LoaderOptions",
    "MissingFileError",
    "NoRoomError",
    "Row",
    "SetFiles",
    "Unusable",
    "place_of",
    "reason",
    "saying_where",
]
