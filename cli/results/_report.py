"""The command that reports a run's figures: `safejury report`."""

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from ...common import ConfigurationError
from ..console import (
    AllowSkipped,
    BesideOption,
    CardFile,
    ForceCard,
    LabelsFile,
    MinCoverage,
    MinPanel,
    PageFolder,
    ReportFormat,
    RunPaths,
    SafeWords,
    TableColumns,
    UnsafeWords,
    WithoutTexts,
    checking_record,
    exit_code,
    guarded,
)


@guarded
def report(
    run: RunPaths,
    format: Annotated[
        ReportFormat | None, typer.Option(help="Output format; table unless it is named.")
    ] = None,
    columns: TableColumns = None,
    beside: BesideOption = None,
    html: PageFolder = None,
    without_texts: WithoutTexts = False,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="Break figures down by scenario, category or a label: labels.NAME."
        ),
    ] = None,
    labels: LabelsFile = None,
    unsafe_word: UnsafeWords = None,
    safe_word: SafeWords = None,
    card: CardFile = None,
    force_card: ForceCard = False,
    card_checked_within: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="DAYS",
            help="Exit with 3 unless safejury recheck found the card's jury unchanged lately.",
        ),
    ] = None,
    min_coverage: MinCoverage = 0.9,
    min_panel: MinPanel = 0.9,
    allow_skipped: AllowSkipped = False,
) -> int:
    """Report the figures of a run, or of several of one jury. No model is called."""
    from ...evaluation.metrics import Thresholds, shortfalls
    from ...evaluation.report import Correction, StoredRun, written_report
    from ._table import show_table

    _check(format, html, without_texts=without_texts)
    if html is not None and (columns is not None or beside is not None):
        raise ConfigurationError("--columns and --beside are of a leaderboard: take --html out")
    wanted = Thresholds(min_coverage, min_panel, allow_skipped)
    unchecked = _unchecked(card, card_checked_within)
    correction = Correction.read(
        labels,
        card,
        unsafe_words=unsafe_word or (),
        safe_words=safe_word or (),
        force=force_card,
    )
    if html is not None:
        from ._page import save_page

        lacking = save_page(
            run, html, wanted, by=by, correction=correction, texts=not without_texts
        )
        return exit_code((*lacking, *unchecked))
    if len(run) > 1 or format is ReportFormat.LATEX or columns is not None or beside is not None:
        from ._leaderboard import write_leaderboard

        lacking = write_leaderboard(
            run,
            format or ReportFormat.TABLE,
            wanted,
            correction,
            columns,
            by,
            beside=beside is not None,
        )
        return exit_code((*lacking, *unchecked))
    (directory,) = run
    if format in (None, ReportFormat.TABLE):
        lacking = show_table(directory, wanted, by=by, correction=correction)
        return exit_code((*lacking, *unchecked))
    with closing(StoredRun(directory)) as stored:
        with checking_record():
            summary, facts = stored.summary(by, correction), stored.facts
        sys.stdout.write(written_report(stored, summary, format.value, wanted=wanted))
    return exit_code((*shortfalls(summary, wanted, facts), *unchecked))


def _check(format: ReportFormat | None, html: Path | None, *, without_texts: bool) -> None:
    """Check that options go together.

    Raises:
        ConfigurationError: They do not.
    """
    if html is not None and format is not None:
        raise ConfigurationError(
            f"--html writes a page and --format {format.value} to the screen: give one of them"
        )
    if html is None and without_texts:
        raise ConfigurationError("--without-texts is of a page: name its folder with --html")


def _unchecked(card: Path | None, days: float | None) -> tuple[str, ...]:
    """Return why a jury card was not checked lately enough, if it was not.

    Raises:
        ConfigurationError: There is no card to speak of.
    """
    from ...evaluation.trust.recheck import why_unchecked

    if days is None:
        return ()
    if card is None:
        raise ConfigurationError("--card-checked-within goes with a jury card: name it with --card")
    why = why_unchecked(card, days)
    return () if why is None else (why,)
