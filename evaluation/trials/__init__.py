"""Trials and their results, as plain data."""

from ._left_out import ITEMS_LEFT_OUT, ROWS_LEFT_OUT, LeftOut, LeftOutLists, Used, write_list
from ._planned import Plan, PlannedCases, count_units
from ._result import Answered, CaseResult, result_of, unlike_transcript
from ._trial import Unit, applies, case_of, units

__all__ = [
    "ITEMS_LEFT_OUT",
    "ROWS_LEFT_OUT",
    "Answered",
    "CaseResult",
    "LeftOut",
    "LeftOutLists",
    "Plan",
    "PlannedCases",
    "Unit",
    "Used",
    "applies",
    "case_of",
    "count_units",
    "result_of",
    "units",
    "unlike_transcript",
    "write_list",
]
