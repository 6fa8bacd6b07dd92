"""Which trials are left for workers, lane by lane."""

from collections import deque
from collections.abc import Sequence

from ..plan import RunPlan
from ..record import RunRecord
from ..runner import unfinished_trials
from ..trials import Trial


class TrialsLeft:
    """The trials of one lane that no worker has: those that came back, then those to come.

    Args:
        plan: The run.
        record: Its record, which knows what is finished.
        targets: The targets of the lane.
        lost: Targets that are not asked any more.
    """

    def __init__(
        self, plan: RunPlan, record: RunRecord, targets: Sequence[str], lost: set[str]
    ) -> None:
        self._again = deque[tuple[Trial, bool]]()
        self._lost = lost
        self._ahead: Trial | None = None
        self._closed = self._is_shut = False
        self._trials = unfinished_trials(plan, record, targets, lost)

    def next(self) -> tuple[Trial, bool] | None:
        """Return a trial, and whether a worker had it; None where none is left now."""
        while self._again:
            trial, again = self._again.popleft()
            if trial.target not in self._lost:
                return trial, again
        while not self._closed:
            trial, self._ahead = self._ahead or next(self._trials, None), None
            self._closed = trial is None
            if trial is not None and trial.target not in self._lost:
                return trial, False
        return None

    def put_back(self, trial: Trial, *, again: bool) -> None:
        """Take a trial back; it is the next, unless no further one may begin.

        Args:
            trial: The trial.
            again: Whether a worker had it.
        """
        if not self._is_shut:
            self._again.appendleft((trial, again))

    def close(self) -> None:
        """Let no further trial begin."""
        self._closed = self._is_shut = True
        self._again.clear()

    @property
    def is_empty(self) -> bool:
        """Whether none is left."""
        if self._again:
            return False
        if not self._closed and self._ahead is None:
            self._ahead = next(self._trials, None)
            self._closed = self._ahead is None
        return self._closed
