"""Readers of recorded responses, one module per format."""

from ._registry import FORMATS, find_reader

__all__ = [
    "FORMATS",
    "find_reader",
]
