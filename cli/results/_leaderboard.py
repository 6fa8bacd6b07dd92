"""The leaderboard of runs, as `safejury report` writes it."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from rich.console import Console

from ...common import ConfigurationError
from ...common.text import quoted
from ...evaluation.leaderboard import ANOTHER_JUDGE, Leaderboard
from ...evaluation.leaderboard.tables import (
    BoardTable,
    as_csv,
    as_json,
    as_latex,
    as_markdown,
    beside_tables,
    leaderboard_table,
    part_table,
    read_columns,
    show_tables,
)
from ...evaluation.metrics import Thresholds, shortfalls
from ...evaluation.report import Correction, StoredRun
from ..console import ReportFormat, checking_record


def write_leaderboard(
    runs: Sequence[Path],
    format: ReportFormat,
    wanted: Thresholds,
    correction: Correction | None,
    columns: str | None,
    by: str | None,
    *,
    beside: bool,
) -> tuple[str, ...]:
    """Write the leaderboard of some runs, and return why they lack what is asked of them."""
    chosen = read_columns(columns)
    with ExitStack() as stack:
        stored = [stack.enter_context(closing(StoredRun(run))) for run in runs]
        with checking_record():
            board = Leaderboard.of(stored, correction, jurors=False)
        tables = _tables(board, chosen, by, beside=beside)
        warned = (ANOTHER_JUDGE,) if beside else ()
        lacking = [
            f"{run.directory}: {reason}" if len(runs) > 1 else reason
            for run in stored
            for reason in shortfalls(run.summary(correction=correction), wanted, run.facts)
        ]
    _write(tables, (*warned, *board.notes), format)
    return tuple(lacking)


def _tables(
    board: Leaderboard, columns: Sequence[str], by: str | None, *, beside: bool
) -> list[BoardTable]:
    if by not in (None, "category", "scenario"):
        raise ConfigurationError(
            f"--by {quoted(by)}: a leaderboard is broken down by category or scenario; by labels, "
            "report one run without --columns and --beside"
        )
    if beside:
        if by == "scenario":
            raise ConfigurationError("--beside paper: the paper has categories: use --by category")
        return beside_tables(board, by_category=by == "category")
    main = leaderboard_table(board, columns)
    return [main] if by is None else [main, part_table(board, by)]


def _write(tables: Sequence[BoardTable], notes: Sequence[str], format: ReportFormat) -> None:
    match format:
        case ReportFormat.TABLE:
            show_tables(tables, notes, Console())
        case ReportFormat.CSV:
            sys.stdout.write(as_csv(tables))
        case ReportFormat.JSON:
            sys.stdout.write(as_json(tables, notes))
        case ReportFormat.MD:
            sys.stdout.write(as_markdown(tables, notes))
        case ReportFormat.LATEX:
            sys.stdout.write(as_latex(tables, notes))
