"""Trials, their plan and their results, as plain data."""

from ._planned import Plan, PlannedCases, count_trials
from ._result import CaseResult, Exchange, result_of, unlike_transcript
from ._skipped import ITEMS_LEFT_OUT, ROWS_LEFT_OUT, LeftOut, LeftOutLists, Used, write_list
from ._trial import Trial, applies, case_of, trials

__all__ = [
    "ITEMS_LEFT_OUT",
    "ROWS_LEFT_OUT",
    "CaseResult",
    "Exchange",
    "LeftOut",
    "LeftOutLists",
    "Plan",
    "PlannedCases",
    "Trial",
    "Used",
    "applies",
    "case_of",
    "count_trials",
    "result_of",
    "trials",
    "unlike_transcript",
    "write_list",
]
