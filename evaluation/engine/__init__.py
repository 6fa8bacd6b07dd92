"""Runs trials in other processes: workers examine them, and a driver alone writes the record."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._pool import Link, Pool, WorkerLost
    from ._run import run_with
    from ._start import run_plan
    from ._travel import check_travels
    from ._worker import Worker
    from .cluster import describe_cluster

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_pool": ["Link", "Pool", "WorkerLost"],
            "_run": ["run_with"],
            "_start": ["run_plan"],
            "_travel": ["check_travels"],
            "_worker": ["Worker"],
            "cluster": ["describe_cluster"],
        },
    )

__all__ = [
    "Link",
    "Pool",
    "Worker",
    "WorkerLost",
    "check_travels",
    "describe_cluster",
    "run_plan",
    "run_with",
]
