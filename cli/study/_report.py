"""The command that reports a run's figures: `safejury report`."""

import sys
from contextlib import closing
from typing import Annotated

import typer

from ..console import (
    AllowSkipped,
    Format,
    MinCoverage,
    MinPanel,
    RunPath,
    exit_code,
    guarded,
)


@guarded
def report(
    run: RunPath,
    format: Annotated[Format, typer.Option(help="Output format.")] = Format.TABLE,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="Break figures down by scenario, category or a label: labels.NAME."
        ),
    ] = None,
    min_coverage: MinCoverage = 0.9,
    min_panel: MinPanel = 0.9,
    allow_skipped: AllowSkipped = False,
) -> int:
    """Report a run's figures. No model is called."""
    from ...evaluation.metrics import Thresholds, shortfalls
    from ...evaluation.report import StoredRun, written_report
    from ._table import show_table

    wanted = Thresholds(min_coverage, min_panel, allow_skipped)
    if format is Format.TABLE:
        return exit_code(show_table(run, wanted, by=by))
    with closing(StoredRun(run)) as stored:
        summary, facts = stored.summary(by), stored.facts
        sys.stdout.write(written_report(stored, summary, format.value, wanted=wanted))
    return exit_code(shortfalls(summary, wanted, facts))
