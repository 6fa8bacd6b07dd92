"""Trials, their plan and their results, as plain data."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._asked import asked_of
    from ._facts import TargetFacts
    from ._planned import Plan, PlannedCases, count_trials
    from ._result import CaseResult, Exchange, result_of, unlike_transcript
    from ._skipped import (
        SKIPPED_ITEMS,
        SKIPPED_ROWS,
        SkippedInput,
        SkippedLists,
        UsedInput,
        kept_rows,
        write_skipped,
    )
    from ._trial import Trial, applies, case_of, is_of_audit, reported_name, trials

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_asked": ["asked_of"],
            "_facts": ["TargetFacts"],
            "_planned": ["Plan", "PlannedCases", "count_trials"],
            "_result": ["CaseResult", "Exchange", "result_of", "unlike_transcript"],
            "_skipped": [
                "SKIPPED_ITEMS",
                "SKIPPED_ROWS",
                "SkippedInput",
                "SkippedLists",
                "UsedInput",
                "kept_rows",
                "write_skipped",
            ],
            "_trial": ["Trial", "applies", "case_of", "is_of_audit", "reported_name", "trials"],
        },
    )

__all__ = [
    "SKIPPED_ITEMS",
    "SKIPPED_ROWS",
    "CaseResult",
    "Exchange",
    "Plan",
    "PlannedCases",
    "SkippedInput",
    "SkippedLists",
    "TargetFacts",
    "Trial",
    "UsedInput",
    "applies",
    "asked_of",
    "case_of",
    "count_trials",
    "is_of_audit",
    "kept_rows",
    "reported_name",
    "result_of",
    "trials",
    "unlike_transcript",
    "write_skipped",
]
