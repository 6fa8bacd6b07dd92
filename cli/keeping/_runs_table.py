"""Runs on the screen, as JSON and as CSV."""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from rich.console import Console
from rich.text import Text

from ...common import escape_line
from ...common.text import MISSING, count, dollars, escape_formula, file_size, many, natural_key
from ...evaluation.keeping import ListedRun, RunState
from ...evaluation.report import Column, Grid, in_its_encoding
from ._runs import RunsOrder

_COLORS = {
    RunState.RUNNING: "cyan",
    RunState.FINISHED: "green",
    RunState.COPY: "green",
    RunState.UNFINISHED: "yellow",
}
_NEVER = datetime.min.replace(tzinfo=UTC)
_READING = (
    "cases: finished / planned; +: calls of unknown price; began: as the log says; written: the "
    "record, last. Nothing was checked: safejury verify does."
)
_IN_DATABASE = (
    " *: kept in a database, and listed as it was copied last; others may be at work on it. "
    "safejury report brings the copy up to date."
)
_LONGEST_TARGETS = 40


def in_order(runs: Iterable[ListedRun], order: RunsOrder) -> list[ListedRun]:
    """Return runs in an order; those that are alike by name."""
    by_name = sorted(runs, key=lambda run: natural_key(str(run.directory)))
    match order:
        case RunsOrder.NAME:
            return by_name
        case RunsOrder.WRITTEN:
            # What runs may have its last rows in memory.
            return sorted(
                by_name,
                key=lambda run: (run.state is RunState.RUNNING, run.written or _NEVER),
                reverse=True,
            )
        case RunsOrder.SIZE:
            return sorted(by_name, key=lambda run: run.files.total, reverse=True)
        case RunsOrder.COST:
            return sorted(by_name, key=lambda run: run.cost_usd or 0.0, reverse=True)


def write_runs_table(runs: Sequence[ListedRun]) -> None:
    """Print runs as a table, and why some cannot be read."""
    console = Console()
    names = [Text(escape_line(str(run.directory))) for run in runs]
    columns = [
        Column("state", [_state(run) for run in runs], 0, left=True),
        Column("cases", [_cases(run) for run in runs], 0),
        Column("verdicts", [count(run.verdicts) for run in runs], 1),
        Column("size", [file_size(run.files.total) for run in runs], 0),
        Column("media", [file_size(run.files.media) for run in runs], 3),
        Column("pages", [file_size(run.files.pages) for run in runs], 4),
        Column("cost", [_cost(run) for run in runs], 1),
        Column("written", [_time(run.written) for run in runs], 2),
        Column("began", [_time(run.began) for run in runs], 5),
        Column("targets", [_targets(run) for run in runs], 6, left=True),
    ]

    def write() -> None:
        Grid("", "run", names, columns, whole_names=True).write(console)

    in_its_encoding(console, write)
    total = f"{many(len(runs), 'run')}, {file_size(sum(run.files.total for run in runs))}. "
    shared = _IN_DATABASE if any(run.database for run in runs) else ""
    said = Text(f"{total}{_READING}{shared}", style="dim")
    in_its_encoding(console, partial(console.print, said))
    for run in runs:
        if run.problem is not None:
            console.print(Text(escape_line(run.problem), style="yellow"))


def write_runs_json(runs: Iterable[ListedRun]) -> None:
    """Print runs as JSON; what is not known is null."""
    # Characters beyond ASCII are escaped, so that no name controls a terminal.
    sys.stdout.write(f"{json.dumps([_plain(run) for run in runs], indent=2)}\n")


def write_runs_csv(runs: Iterable[ListedRun]) -> None:
    """Print runs as CSV; what is not known is empty."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    rows = [_plain(run) for run in runs]
    names = list(rows[0]) if rows else ["run"]
    writer.writerow(names)
    for row in rows:
        row["targets"] = json.dumps(row["targets"])
        writer.writerow([escape_formula(row[name]) for name in names])


def _plain(run: ListedRun) -> dict[str, Any]:
    return {
        "run": str(run.directory),
        "state": str(run.state),
        "cases": run.cases,
        "planned": run.planned,
        "verdicts": run.verdicts,
        "targets": list(run.targets),
        "cost_usd": run.cost_usd,
        "calls_of_unknown_price": run.unpriced,
        "tokens": run.tokens,
        "bytes": run.files.total,
        "bytes_record": run.files.record,
        "bytes_media": run.files.media,
        "bytes_pages": run.files.pages,
        "bytes_others": run.files.others,
        "media_pruned": run.pruned,
        "began": None if run.began is None else run.began.isoformat(),
        "written": None if run.written is None else run.written.isoformat(),
        "problem": run.problem,
        "database": run.database,
    }


def _state(run: ListedRun) -> Text:
    return Text(f"{run.state}{' *' if run.database else ''}", _COLORS.get(run.state, "red"))


def _cases(run: ListedRun) -> str:
    if run.cases is None:
        return MISSING
    done = run.cases == run.planned
    return count(run.cases) if done else f"{count(run.cases)} / {count(run.planned)}"


def _cost(run: ListedRun) -> str:
    if run.cost_usd is None:
        return MISSING
    return f"{dollars(run.cost_usd)}{' +' if run.unpriced else ''}"


def _time(when: datetime | None) -> str:
    return MISSING if when is None else f"{when.astimezone():%Y-%m-%d %H:%M}"


def _targets(run: ListedRun) -> str:
    said = escape_line(", ".join(run.targets))
    if len(said) <= _LONGEST_TARGETS:
        return said
    return f"{len(run.targets)}: {said[:_LONGEST_TARGETS]}…"
