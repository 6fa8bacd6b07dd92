"""What happened, and how sure are we: runs, records, metrics and reports."""

from typing import TYPE_CHECKING

from ..common import lazy

if TYPE_CHECKING:
    from .metrics import Rate, RunSummary, TargetSummary, summarize, wilson_interval
    from .plan import Provided, RunPlan, set_up
    from .record import RecordReader, open_record
    from .report import report_csv, report_json, report_markdown, report_table
    from .runner import Examiner, Observer, RunOutcome, run
    from .trials import CaseResult, Trial

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "metrics": ["Rate", "RunSummary", "TargetSummary", "summarize", "wilson_interval"],
            "plan": ["Provided", "RunPlan", "set_up"],
            "record": ["RecordReader", "open_record"],
            "report": ["report_csv", "report_json", "report_markdown", "report_table"],
            "runner": ["Examiner", "Observer", "RunOutcome", "run"],
            "trials": ["CaseResult", "Trial"],
        },
    )

__all__ = [
    "CaseResult",
    "Examiner",
    "Observer",
    "Provided",
    "Rate",
    "RecordReader",
    "RunOutcome",
    "RunPlan",
    "RunSummary",
    "TargetSummary",
    "Trial",
    "open_record",
    "report_csv",
    "report_json",
    "report_markdown",
    "report_table",
    "run",
    "set_up",
    "summarize",
    "wilson_interval",
]
