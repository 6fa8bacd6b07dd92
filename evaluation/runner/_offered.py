"""Trials that wait to be examined."""

from collections.abc import AsyncIterator, Container, Iterator, Sequence
from itertools import islice
from typing import Generic, TypeVar

from ..plan import RunPlan
from ..record import RunRecord
from ..trials import Trial

T = TypeVar("T")

_MOST_TAKEN = 64
"""Trials that are looked at, and taken from those of all drivers, at once."""


class Offered(Generic[T]):
    """Yields trials one by one, until somebody closes it."""

    def __init__(self, trials: Iterator[T]) -> None:
        self._trials = trials
        self.is_closed = False

    def close(self) -> None:
        """Offer no more."""
        self.is_closed = True

    def __iter__(self) -> "Offered[T]":
        """Yield those that are left."""
        return self

    def __next__(self) -> T:
        """Return the next one."""
        if self.is_closed:
            raise StopIteration
        return next(self._trials)


def unfinished_trials(
    plan: RunPlan, record: RunRecord, targets: Sequence[str], lost: Container[str]
) -> Iterator[Trial]:
    """Yield the trials of some targets whose cases are not finished.

    Args:
        plan: The run.
        record: Its record.
        targets: Names of the targets.
        lost: Targets that are not asked any more; looked at for each trial.
    """
    trials = plan.trials(*targets)
    # Nothing is read ahead where nothing can be finished.
    at_once = _MOST_TAKEN if record.resumed else 1
    while batch := [(trial, trial.case_id) for trial in islice(trials, at_once)]:
        finished = record.finished([case_id for _, case_id in batch])
        for trial, case_id in batch:
            if trial.target not in lost and case_id not in finished:
                yield trial


async def taken(trials: Offered[Trial], record: RunRecord, cases: int) -> AsyncIterator[Trial]:
    """Yield the trials that no other driver has, taking some at a time.

    Args:
        trials: All of them.
        record: The run's record.
        cases: How many are under way at a time.
    """
    at_once = min(max(1, cases // 4), _MOST_TAKEN)
    while batch := list(islice(trials, at_once)):
        ours = await record.take([trial.case_id for trial in batch])
        for trial in batch:
            if trials.is_closed:
                return
            if trial.case_id in ours:
                yield trial
