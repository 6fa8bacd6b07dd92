"""Evaluating and judging from Python, in a few lines."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._calibrate import calibrate
    from ._cases import Cases
    from ._compare import compare
    from ._evaluate import evaluate
    from ._judge import judge
    from ._merge import merge
    from ._models import endpoint, model
    from ._replay import replay
    from ._result import Result, load
    from ._targets import TargetSpec, target
    from ._twins import evaluate_sync, judge_sync

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_twins": ["evaluate_sync", "judge_sync"],
            "_targets": ["TargetSpec", "target"],
            "_result": ["Result", "load"],
            "_models": ["endpoint", "model"],
            "_replay": ["replay"],
            "_judge": ["judge"],
            "_merge": ["merge"],
            "_calibrate": ["calibrate"],
            "_cases": ["Cases"],
            "_compare": ["compare"],
            "_evaluate": ["evaluate"],
        },
    )

__all__ = [
    "Cases",
    "Result",
    "TargetSpec",
    "calibrate",
    "compare",
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
]
