"""Shared by all readers of recorded responses."""

from .....datasets.tables import before_last, without_media
from ._columns import Columns
from ._labels import labels_of
from ._messages import Dialogue, Question, content_text
from ._objects import each_object
from ._reader import Reader, ReadOptions, Sample
from ._row import (
    RecordedRow,
    Remark,
    Row,
    Unread,
    Unreadable,
    as_json,
    epoch_of,
    outcome_by_reason,
    unreadable,
)
from ._shape import no_responses

__all__ = [
    "Columns",
    "Dialogue",
    "Question",
    "ReadOptions",
    "Reader",
    "RecordedRow",
    "Remark",
    "Row",
    "Sample",
    "Unread",
    "Unreadable",
    "as_json",
    "before_last",
    "content_text",
    "each_object",
    "epoch_of",
    "labels_of",
    "no_responses",
    "outcome_by_reason",
    "unreadable",
    "without_media",
]
