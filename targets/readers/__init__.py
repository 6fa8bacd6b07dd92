"""Readers of recorded responses, one module for each format."""

from ._formats import FORMATS, find_reader
from ._reader import Reader, ReadOptions
from ._row import RecordedRow, Remark, Row, Unread, Unreadable

__all__ = [
    "FORMATS",
    "ReadOptions",
    "Reader",
    "RecordedRow",
    "Remark",
    "Row",
    "Unread",
    "Unreadable",
    "find_reader",
]
