"""The cases of a run as rows: one schema for tables, files, data frames and pages."""

from ._card import check_card
from ._columns import Column, Kind, ballot_columns, case_columns
from ._filter import CaseFilter, searched_text
from ._names import OUTCOMES, check_filter
from ._plain import plain_ballot, plain_case
from ._read import CaseOrder, ballot_rows, case_row, case_rows
from ._rows import BallotRow, CaseRow
from ._write import write_csv, write_jsonl, write_parquet

__all__ = [
    "OUTCOMES",
    "BallotRow",
    "CaseFilter",
    "CaseOrder",
    "CaseRow",
    "Column",
    "Kind",
    "ballot_columns",
    "ballot_rows",
    "case_columns",
    "case_row",
    "case_rows",
    "check_card",
    "check_filter",
    "plain_ballot",
    "plain_case",
    "searched_text",
    "write_csv",
    "write_jsonl",
    "write_parquet",
]
