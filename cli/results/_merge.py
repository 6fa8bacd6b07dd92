"""The command that joins runs of one jury: `safejury merge`."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...common import ConfigurationError, escape_line
from ...common.text import many
from ..console import busy, guarded, say, write_line

if TYPE_CHECKING:
    from ...evaluation.record import Merged, MergedRun

_LABELS = "labels.jsonl"


class Prefer(StrEnum):
    """Whose case is taken where two runs have judged it otherwise."""

    FIRST = "first"


@guarded
def merge(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Directories of runs of one jury and protocol."),
    ],
    into: Annotated[
        Path,
        typer.Option(metavar="RUN", help="Directory of the merged run: a new one, or a run."),
    ],
    prefer: Annotated[
        Prefer | None,
        typer.Option(help="Whose case to take where two runs have judged one otherwise."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be merged; write nothing.")
    ] = False,
) -> int:
    """Join runs of one jury into one. They may have been made on several machines."""
    from ...evaluation.record import is_being_written, merge_runs

    if len(runs) == 1 and not into.exists():
        raise ConfigurationError(
            f"there is only {runs[0]} to merge: name more runs, or one that is there with --into"
        )
    with busy("Reading the runs …") as status:
        merged = merge_runs(
            runs,
            into,
            prefer_first=prefer is Prefer.FIRST,
            dry_run=dry_run,
            report=lambda what, cases: status.update(
                escape_line(f"{what[:1].upper()}{what[1:]}: {many(cases, 'case')} …")
            ),
        )
    for line in _lines(merged, dry_run=dry_run):
        write_line(line)
    for run in merged.runs:
        if run.directory != into and is_being_written(run.directory):
            say(f"Note: {run.directory} is being written: it is merged as it was a moment ago.")
        if run.directory != into and (run.directory / _LABELS).exists():
            labels = run.directory / _LABELS
            say(f"Note: labels are not merged: name {labels} with --labels.")
    if not dry_run:
        say(f"Show the figures: safejury report {into}")
    return 0


def _lines(merged: "Merged", *, dry_run: bool) -> Iterator[str]:
    yield from (_line(run) for run in merged.runs)
    would = "would be" if dry_run else "are"
    cases = f"{merged.cases:,} of {many(merged.planned, 'planned case')}"
    names = ", ".join(map(repr, merged.targets))
    targets = f"{many(len(merged.targets), 'target')} ({names})"
    yield escape_line(f"{cases} of {targets} {would} in {merged.directory}")


def _line(run: "MergedRun") -> str:
    found = many(run.cases, "case")
    parts = [f"{run.same:,} of them as in a run before"] if run.same else []
    if run.differing:
        parts.append(f"{run.differing:,} judged otherwise in a run before, and left out")
    if run.elsewhere:
        parts.append("its models at other addresses")
    return f"{run.directory}: {'; '.join([found, *parts])}"
