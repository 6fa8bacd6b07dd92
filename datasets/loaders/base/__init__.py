"""Shared by all loaders: the interface, and reading media files."""

from ._files import MissingFileError, NoRoomError, SetFiles, naming_file, place_of, reason
from ._loader import Loader, LoaderOptions, Row, Unusable

__all__ = [
    "Loader",
    "LoaderOptions",
    "MissingFileError",
    "NoRoomError",
    "Row",
    "SetFiles",
    "Unusable",
    "naming_file",
    "place_of",
    "reason",
]
