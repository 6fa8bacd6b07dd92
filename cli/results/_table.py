"""The report of a run as a table on the screen."""

from contextlib import closing
from pathlib import Path

from rich.console import Console

from ...evaluation.metrics import Thresholds, shortfalls
from ...evaluation.report import Correction, StoredRun, write_table
from ..console import checking_record


def show_table(
    directory: Path,
    wanted: Thresholds,
    *,
    again: str | None = None,
    by: str | None = None,
    correction: Correction | None = None,
) -> tuple[str, ...]:
    """Show a run's report, and return why it lacks what is asked of it."""
    with closing(StoredRun(directory)) as stored:
        with checking_record():
            summary, facts = stored.summary(by, correction), stored.facts
        write_table(stored, summary, Console(), wanted=wanted)
    return shortfalls(summary, wanted, facts, again=again)
