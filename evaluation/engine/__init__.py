"""Runs trials in other processes: workers examine them, and a driver alone writes the record."""

from ._pool import Link, Pool, WorkerLost
from ._run import run_with
from ._shares import most_workers
from ._travel import check_travels
from ._worker import Worker

__all__ = [
    "Link",
    "Pool",
    "Worker",
    "WorkerLost",
    "check_travels",
    "most_workers",
    "run_with",
]
