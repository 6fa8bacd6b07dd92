"""Runs trials: concurrency, resumption, retries and what is recorded."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._asking import asking_over
    from ._examiner import Examiner
    from ._live import hear_live
    from ._opening import open_run_models, open_run_record, open_targets
    from ._run import RunOutcome, run
    from ._session import CaseWatcher, Observer
    from ._staging import Stage
    from ._watched import watched

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_asking": ["asking_over"],
            "_examiner": ["Examiner"],
            "_live": ["hear_live"],
            "_opening": ["open_run_models", "open_run_record", "open_targets"],
            "_run": ["RunOutcome", "run"],
            "_session": ["CaseWatcher", "Observer"],
            "_staging": ["Stage"],
            "_watched": ["watched"],
        },
    )

__all__ = [
    "CaseWatcher",
    "Examiner",
    "Observer",
    "RunOutcome",
    "Stage",
    "asking_over",
    "hear_live",
    "open_run_models",
    "open_run_record",
    "open_targets",
    "run",
    "watched",
]
