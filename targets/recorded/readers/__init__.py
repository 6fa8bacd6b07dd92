"""Readers of recorded responses, by format."""

from .base import Reader, ReadOptions, RecordedRow, Remark, Row, Unread, Unreadable
from .formats import FORMATS, find_reader

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
