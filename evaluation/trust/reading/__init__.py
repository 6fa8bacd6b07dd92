"""Reads labels and votes from files and runs, and matches them."""

from ._labels import CASE_COLUMNS, CHOSEN, CaseLabel, LabelSet, labels_of, read_labels
from ._recorded_votes import read_votes
from ._rows import Row, described, is_empty, read_rows
from ._run_votes import read_run_votes
from ._source import Matched, Source, jury_of_names, match
from ._table_building import remaining
from ._words import Words, as_word

__all__ = [
    "CASE_COLUMNS",
    "CHOSEN",
    "CaseLabel",
    "LabelSet",
    "Matched",
    "Row",
    "Source",
    "Words",
    "as_word",
    "described",
    "is_empty",
    "jury_of_names",
    "labels_of",
    "match",
    "read_labels",
    "read_rows",
    "read_run_votes",
    "read_votes",
    "remaining",
]
