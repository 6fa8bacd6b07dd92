"""The cases of a run as rows: one schema for tables, files, data frames and pages."""

from ._filter import CaseFilter, searched_text
from ._plain import label_names, plain_ballot, plain_case
from ._read import ballot_rows, case_row, case_rows
from ._rows import BallotRow, CaseRow

__all__ = [
    "BallotRow",
    "CaseFilter",
    "CaseRow",
    "ballot_rows",
    "case_row",
    "case_rows",
    "label_names",
    "plain_ballot",
    "plain_case",
    "searched_text",
]
