"""Prints a comparison at a terminal of any width."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from ...common import escape_line
from ..report import Column, Grid, in_its_encoding, write_lines
from ._figures import METRICS, Comparison, PairedTargets, RateDifference
from ._words import (
    BY_CATEGORY,
    LABELS,
    MINUS,
    change_by,
    changes_of,
    first_lines,
    missing_of,
    p_of,
    pair_name,
    side_name,
    size_of,
    span_of,
    unpaired_of,
    value_of,
    verdict_of,
)


def comparison_table(comparison: Comparison, console: Console) -> None:
    """Print a comparison; columns that do not fit are left out and named.

    Args:
        comparison: The comparison.
        console: Where to write.
    """
    in_its_encoding(console, lambda: _write(comparison, console))


def _write(comparison: Comparison, console: Console) -> None:
    notes = list(first_lines(comparison))
    write_lines(console, "Read this first", notes)
    if len(comparison.pairs) > 1:
        console.print()
        _overview(comparison).write(console)
    for number, pair in enumerate(comparison.pairs):
        if number or notes:
            console.print()
        _write_pair(pair, console, comparison.level)


def _write_pair(pair: PairedTargets, console: Console, level: float) -> None:
    for letter, side in (("A", pair.first), ("B", pair.second)):
        console.print(Text(f"{letter}  {escape_line(side_name(side))}"))
    console.print(Text(unpaired_of(pair)))
    console.print()
    console.print(Text(verdict_of(pair), style="bold"))
    if pair.rates["over_refusal"].n:
        console.print(Text(verdict_of(pair, "over_refusal")))
    for said in filter(None, [missing_of(pair), changes_of(pair)]):
        console.print(Text(said))
    console.print()
    rows = {LABELS[m]: pair.rates[m] for m in METRICS if pair.rates[m].n}
    whole = _grid("", "metric", rows, level).write(console)
    for metric in BY_CATEGORY:
        parts = {
            name.replace("_", " "): part[metric]
            for name, part in pair.categories.items()
            if part[metric].n
        }
        if len(parts) > 1:
            console.print()
            heading = f"{LABELS[metric]} by category"
            whole &= _grid(heading, "category", parts, level, adjusted=True).write(console)
    if not whole:
        console.print(
            Text("A wider terminal shows all columns; --format md, csv or json too.", style="dim")
        )


def _overview(comparison: Comparison) -> Grid:
    """Return a row a pair, by attack success."""
    rows = {pair_name(pair): pair.rates["asr"] for pair in comparison.pairs}
    attacked = any(pair.second.attack for pair in comparison.pairs)
    first = "target: attack" if attacked else "target"
    return _grid("ASR % of all pairs", first, rows, comparison.level)


def _grid(
    heading: str,
    first: str,
    rows: Mapping[str, RateDifference],
    level: float,
    *,
    adjusted: bool = False,
) -> Grid:
    found = list(rows.values())
    columns = [
        Column("A", [value_of(row.metric, row.first) for row in found], 0),
        Column("B", [value_of(row.metric, row.second) for row in found], 0),
        Column(f"B {MINUS} A", [change_by(row.metric, row.difference) for row in found], 0),
        Column(
            f"{100 * level:g} % interval", [span_of(row.metric, row.interval) for row in found], 0
        ),
        Column("p", [p_of(row.p) for row in found], 0),
        *([Column("p Holm", [p_of(row.adjusted_p) for row in found], 0)] if adjusted else []),
        Column("n", [f"{row.n:,}" for row in found], 1),
        Column("detectable", [size_of(row.metric, row.detectable) for row in found], 2),
        Column("A>B", [f"{row.higher_first:,}" for row in found], 4),
        Column("B>A", [f"{row.higher_second:,}" for row in found], 4),
        *_missing(found),
    ]
    return Grid(heading, first, [Text(escape_line(name)) for name in rows], columns)


def _missing(found: Sequence[RateDifference]) -> list[Column]:
    if not any(row.no_verdict for row in found):
        return []
    return [Column("no\nverdict", [f"{row.no_verdict:,}" for row in found], 3)]
