"""What happened, and how sure are we: runs, records, metrics and reports."""

from typing import TYPE_CHECKING

from ..common import lazy

if TYPE_CHECKING:
    from .api import (
        Cases,
        Result,
        calibrate,
        endpoint,
        evaluate,
        evaluate_sync,
        judge,
        judge_sync,
        load,
        merge,
        model,
        replay,
        target,
    )
    from .compare import Comparison
    from .interop.inspect_scorer import jury_scorer
    from .metrics import Rate, RunSummary, TargetSummary, summarize, wilson_interval
    from .plan import Provided, RunPlan, set_up
    from .record import RecordReader, open_record
    from .report import report_csv, report_json, report_markdown, report_table
    from .runner import Examiner, Observer, RunOutcome, run
    from .trials import CaseResult, Trial
    from .trust import ReviewCase, review_sample
    from .trust.replay import Replay

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "api": [
                "Cases",
                "Result",
                "calibrate",
                "endpoint",
                "evaluate",
                "evaluate_sync",
                "judge",
                "judge_sync",
                "load",
                "merge",
                "model",
                "replay",
                "target",
            ],
            "compare": ["Comparison"],
            "interop.inspect_scorer": ["jury_scorer"],
            "metrics": ["Rate", "RunSummary", "TargetSummary", "summarize", "wilson_interval"],
            "plan": ["Provided", "RunPlan", "set_up"],
            "record": ["RecordReader", "open_record"],
            "report": ["report_csv", "report_json", "report_markdown", "report_table"],
            "runner": ["Examiner", "Observer", "RunOutcome", "run"],
            "trials": ["CaseResult", "Trial"],
            "trust": ["ReviewCase", "review_sample"],
            "trust.replay": ["Replay"],
        },
    )

__all__ = [
    "CaseResult",
    "Cases",
    "Comparison",
    "Examiner",
    "Observer",
    "Provided",
    "Rate",
    "RecordReader",
    "Replay",
    "Result",
    "ReviewCase",
    "RunOutcome",
    "RunPlan",
    "RunSummary",
    "TargetSummary",
    "Trial",
    "calibrate",
    "endpoint",
    "evaluate",
    "evaluate_sync",
    "judge",
    "judge_sync",
    "jury_scorer",
    "load",
    "merge",
    "model",
    "open_record",
    "replay",
    "report_csv",
    "report_json",
    "report_markdown",
    "report_table",
    "review_sample",
    "run",
    "set_up",
    "summarize",
    "target",
    "wilson_interval",
]
