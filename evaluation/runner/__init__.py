"""Runs trials: concurrency, resumption, retries and what is recorded."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._active_cases import ActiveCases, Slots
    from ._asking import asking_over
    from ._budgeted import BudgetedExaminer, Estimates
    from ._examiner import Examiner
    from ._live import hear_live
    from ._media_room import MediaHold, MediaRoom
    from ._offered import unfinished_trials
    from ._opening import (
        begin_run,
        cost_so_far,
        open_run_models,
        open_run_record,
        open_targets,
        proven_models,
    )
    from ._run import RunOutcome, outcome_of, run
    from ._session import CaseWatcher, Observer, cut_short
    from ._staging import Stage
    from ._talk_audit import TalkAuditor, audit_is_due
    from ._watched import WorkerCounts, watched

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_active_cases": ["ActiveCases", "Slots"],
            "_asking": ["asking_over"],
            "_budgeted": ["BudgetedExaminer", "Estimates"],
            "_examiner": ["Examiner"],
            "_live": ["hear_live"],
            "_media_room": ["MediaHold", "MediaRoom"],
            "_offered": ["unfinished_trials"],
            "_opening": [
                "begin_run",
                "cost_so_far",
                "open_run_models",
                "open_run_record",
                "open_targets",
                "proven_models",
            ],
            "_run": ["RunOutcome", "outcome_of", "run"],
            "_session": ["CaseWatcher", "Observer", "cut_short"],
            "_staging": ["Stage"],
            "_talk_audit": ["TalkAuditor", "audit_is_due"],
            "_watched": ["WorkerCounts", "watched"],
        },
    )

__all__ = [
    "ActiveCases",
    "BudgetedExaminer",
    "CaseWatcher",
    "Estimates",
    "Examiner",
    "MediaHold",
    "MediaRoom",
    "Observer",
    "RunOutcome",
    "Slots",
    "Stage",
    "TalkAuditor",
    "WorkerCounts",
    "asking_over",
    "audit_is_due",
    "begin_run",
    "cost_so_far",
    "cut_short",
    "hear_live",
    "open_run_models",
    "open_run_record",
    "open_targets",
    "outcome_of",
    "proven_models",
    "run",
    "unfinished_trials",
    "watched",
]
