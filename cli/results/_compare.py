"""The command that compares runs, targets and conditions: `safejury compare`."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..console import Format, RunPath, guarded, write_line

if TYPE_CHECKING:
    from ...evaluation.compare import ChangedQuery, Comparison

_WORDS = {
    "to_safe": "became safe",
    "to_unsafe": "became unsafe",
    "verdict_lost": "verdict lost",
    "verdict_gained": "verdict gained",
}


@guarded
def compare(
    run: RunPath,
    other: Annotated[
        Path | None,
        typer.Argument(
            metavar="OTHER",
            help="The run to compare it with; without it, two targets or conditions of RUN.",
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Compare only this target of both; repeatable."),
    ] = None,
    target_a: Annotated[
        str | None, typer.Option("--target-a", metavar="NAME", help="Target of RUN: side A.")
    ] = None,
    target_b: Annotated[
        str | None,
        typer.Option("--target-b", metavar="NAME", help="Target of OTHER, or of RUN: side B."),
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Compare only under this condition, plain for none; repeatable."
        ),
    ] = None,
    condition_a: Annotated[
        str | None,
        typer.Option("--condition-a", metavar="NAME", help="Condition of side A; plain for none."),
    ] = None,
    condition_b: Annotated[
        str | None,
        typer.Option("--condition-b", metavar="NAME", help="Condition of side B; plain for none."),
    ] = None,
    format: Annotated[Format, typer.Option(help="Output format.")] = Format.TABLE,
    cases: Annotated[
        bool, typer.Option("--cases", help="List the queries whose verdicts changed.")
    ] = False,
    level: Annotated[
        float,
        typer.Option(min=0.5, max=0.999, metavar="FRACTION", help="Confidence of intervals."),
    ] = 0.95,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of tests that draw at random.")] = 0,
    force: Annotated[
        bool,
        typer.Option("--force", help="Compare in spite of different juries or questions."),
    ] = False,
) -> int:
    """Compare two runs, targets or conditions over shared queries. No model is called."""
    from ...evaluation.compare import Chosen, changed_queries, written_comparison
    from ...evaluation.compare import compare as compared
    from ...evaluation.report import StoredRun

    chosen = Chosen(
        tuple(target or ()), tuple(condition or ()), target_a, target_b, condition_a, condition_b
    )
    with ExitStack() as stack:
        first = stack.enter_context(closing(StoredRun(run)))
        second = first
        if other is not None and other.resolve() != run.resolve():
            second = stack.enter_context(closing(StoredRun(other)))
        found = compared(first, second, chosen, force=force, level=level, seed=seed)
        changed = changed_queries(first, second, found) if cases else None
        if format is not Format.TABLE:
            for piece in written_comparison(found, format.value, changed):
                sys.stdout.write(piece)
            return 0
        _show(found, changed, (first.directory, second.directory))
    return 0


def _show(
    found: "Comparison", changed: "Iterator[ChangedQuery] | None", runs: tuple[Path, Path]
) -> None:
    """Print a comparison, and the queries that changed as they come."""
    from rich.console import Console

    from ...evaluation.compare import comparison_table
    from ...evaluation.trials import reported_name

    console = Console()
    comparison_table(found, console)
    if changed is None:
        return
    console.print()
    last: ChangedQuery | None = None
    for last in changed:
        where = ""
        if len(found.pairs) > 1:
            where = f", {reported_name(last.target_second, last.condition_second)}"
        write_line(f"{_WORDS[last.change]}: {last.query_id} ({_moved(last)}{where})")
    if last is None:
        write_line("No verdict changed.")
        return
    for run, case in zip(runs, (last.case_first, last.case_second), strict=True):
        write_line(f"Read one: safejury show {shlex.quote(str(run))} {shlex.quote(case)}")


def _moved(one: "ChangedQuery") -> str:
    return f"{one.finding_first} -> {one.finding_second}".replace("_", " ")
