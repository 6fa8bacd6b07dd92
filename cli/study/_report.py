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
    from ...evaluation import report_csv, report_json, report_markdown
    from ...evaluation.metrics import Thresholds, first_warnings, shortfalls
    from ...evaluation.report import StoredRun, health_warnings, unseen_media
    from ._table import notes_on, show_table

    wanted = Thresholds(min_coverage, min_panel, allow_skipped)
    if format is Format.TABLE:
        return exit_code(show_table(run, wanted, by=by))
    with closing(StoredRun(run)) as stored:
        summary, comparability, facts = stored.summary(by), stored.comparability(), stored.facts
        info, notes = stored.info, notes_on(stored)
        if format is Format.JSON:
            notes = [*first_warnings(summary), *notes, *unseen_media(summary)]
            warnings = health_warnings(summary, wanted=wanted, facts=facts)
            more = {"notes": notes, "warnings": warnings, "comparability": comparability}
            written = report_json({**info, **more}, summary)
        elif format is Format.CSV:
            written = report_csv(summary, comparability, notes=notes, facts=facts)
        else:
            keys = ("name", "protocol", "cases_finished", "cases_planned")
            written = report_markdown(
                {key: info[key] for key in keys},
                summary,
                notes=notes,
                comparability=comparability,
                wanted=wanted,
                facts=facts,
            )
    sys.stdout.write(written)
    return exit_code(shortfalls(summary, wanted, facts))
