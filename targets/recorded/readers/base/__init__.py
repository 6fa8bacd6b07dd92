"""What every reader of recorded responses shares."""

from ._columns import Columns
from ._labels import labels_of
from ._messages import Asked, Talk, before_last, content_text, without_media
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
    "Asked",
    "Columns",
    "ReadOptions",
    "Reader",
    "RecordedRow",
    "Remark",
    "Row",
    "Sample",
    "Talk",
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
