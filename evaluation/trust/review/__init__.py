"""Labels of a finished run's cases by people: which cases, in which order, and their file."""

from ._file import LabelFile, checked_name
from ._plan import ReviewOptions, ReviewPlan
from ._review import LABELS, Review, open_review, review_sample
from ._sample import CellCount, ReviewCase, ReviewSample, draw
from ._summary import ReviewSummary, TargetProgress, summarize_review
from ._table import export_cases, import_labels

__all__ = [
    "LABELS",
    "CellCount",
    "LabelFile",
    "Review",
    "ReviewCase",
    "ReviewOptions",
    "ReviewPlan",
    "ReviewSample",
    "ReviewSummary",
    "TargetProgress",
    "checked_name",
    "draw",
    "export_cases",
    "import_labels",
    "open_review",
    "review_sample",
    "summarize_review",
]
