"""The command that lists runs: `safejury runs`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..console import busy, guarded, say

DEFAULT_FOLDER = Path("runs")
"""Where runs are by default: `run.directory` of a config."""


class RunsFormat(StrEnum):
    """Format of a list of runs."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class RunsOrder(StrEnum):
    """Which runs come first."""

    WRITTEN = "written"
    NAME = "name"
    SIZE = "size"
    COST = "cost"


@guarded
def runs(
    folder: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DIR",
            help="Folders of runs, or runs; `runs` by default.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[RunsFormat, typer.Option(help="Output format.")] = RunsFormat.TABLE,
    sort: Annotated[
        RunsOrder, typer.Option(help="Order: last written, by name, largest or dearest first.")
    ] = RunsOrder.WRITTEN,
) -> None:
    """List runs: their state, cases, size and cost. Records are read, and not checked."""
    from ...evaluation.keeping import list_runs
    from ._runs_table import in_order, write_runs_csv, write_runs_json, write_runs_table

    folders = folder or [DEFAULT_FOLDER]
    with busy("Reading the runs …"):
        found = in_order(list_runs(folders), sort)
    if not found and format is RunsFormat.TABLE:
        say(f"No run in {', '.join(map(str, folders))}.")
        return
    match format:
        case RunsFormat.TABLE:
            write_runs_table(found)
        case RunsFormat.JSON:
            write_runs_json(found)
        case RunsFormat.CSV:
            write_runs_csv(found)
