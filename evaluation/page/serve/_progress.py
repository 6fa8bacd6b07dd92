"""What the runs that are served are doing."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ...record import is_being_written
from ._reading import Marks


class Phase(StrEnum):
    """What a run is doing."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        phase: What it is doing.
        finished: Finished cases.
        planned: Planned cases.
    """

    phase: Phase
    finished: int
    planned: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of all runs.

    Attributes:
        revision: Grows with each state of the page, 0 where there is none yet.
        runs: How far each is.
        problem: Why the page shows no newer state, None where it does.
    """

    revision: int
    runs: tuple[Progress, ...]
    problem: str | None


def progress_of(directories: Sequence[Path], marks: Marks, *, begun: bool) -> tuple[Progress, ...]:
    """Return how far runs are.

    Args:
        directories: Their directories.
        marks: The states of their records.
        begun: Whether they have begun before, so that one without a record is gone.
    """
    found: list[Progress] = []
    for directory, mark in zip(directories, marks, strict=True):
        if mark is None:
            found.append(Progress(Phase.GONE if begun else Phase.WAITING, 0, 0))
            continue
        ended = Phase.FINISHED if mark.cases >= mark.planned else Phase.STOPPED
        phase = Phase.RUNNING if is_being_written(directory) else ended
        found.append(Progress(phase, mark.cases, mark.planned))
    return tuple(found)
