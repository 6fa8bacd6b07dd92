"""Terminal tables of one target's figures by category, or by a requested breakdown."""

from collections.abc import Sequence

from rich.bar import Bar
from rich.console import Console
from rich.text import Text

from ...common import escape_line
from ...common.text import count, index, many, percent, points, span
from ..metrics import Breakdown, Group, Rate, TargetSummary
from ._grid import Cell, Column, Grid
from ._words import LEAST_N, NO_LABEL, riskiest, title
from .corrected import corrected_columns

_BAR = 8
"""Width of a bar of 100 %, in characters."""


def categories(target: TargetSummary, console: Console) -> Grid:
    """Return the table of a target's categories."""
    parts = list(target.categories.values())
    names = [Text(title(name)) for name in target.categories]
    return _grid(target, "category", names, parts, console)


def groups(target: TargetSummary, by: str, console: Console) -> Grid:
    """Return the table of a requested breakdown, with the total as the last row."""
    names = [_name(group, by) for group in target.groups]
    parts = [group.figures for group in target.groups]
    return _grid(target, by, [*names, Text("all", style="bold")], [*parts, target], console)


def _name(group: Group, by: str) -> Text:
    if group.value is None:
        return Text(NO_LABEL, style="italic")
    return Text(title(group.value) if by == "scenario" else escape_line(group.value))


def _grid(
    target: TargetSummary,
    by: str,
    names: Sequence[Text],
    parts: Sequence[Breakdown | TargetSummary],
    console: Console,
) -> Grid:
    columns = [Column("ASR %", [share_text(part.asr.micro) for part in parts], 0)]
    if not console.options.ascii_only:
        columns.append(Column("", [_bar(part) for part in parts], 8, "bar", width=_BAR))
    columns += [
        Column("interval", [span(part.asr.interval) for part in parts], 2),
        *corrected_columns(parts),
        Column("n", [count(part.asr.n) for part in parts], 1),
        *repeats([(part.asr.queries, part.asr.n) for part in parts], 3),
        Column("SRI", [index(part.sri.micro) for part in parts], 3),
    ]
    if target.benign:
        columns += [
            *rate_columns(
                "over-\nrefusal %", [part.over_refusal for part in parts], 4, "over-refusal %"
            ),
            *rate_columns(
                "benign\nunsafe %", [part.benign_unsafe for part in parts], 5, "benign unsafe %"
            ),
        ]
    columns += [
        Column("cover-\nage %", [points(part.coverage) for part in parts], 6, "coverage %"),
        Column("cases", [count(part.cases) for part in parts], 6),
    ]
    by = escape_line(by)
    return Grid(f"{escape_line(target.name)}: by {by}", by, names, columns)


def rate_columns(
    head: str, rates: Sequence[Rate], rank: int, name: str = "", *, interval: int | None = None
) -> list[Column]:
    """Return columns for a rate and its n, both of one rank, and for its interval if asked."""
    columns = [Column(head, [points(rate.value) for rate in rates], rank, name)]
    if interval is not None:
        ends = [span(rate.interval) for rate in rates]
        called = f"interval of {columns[0].called}"
        columns.append(Column("interval", ends, interval, called))
    return [*columns, Column("n", [count(rate.n) for rate in rates], rank)]


def _bar(part: Breakdown | TargetSummary) -> Cell:
    if part.asr.micro is None:
        return ""
    return Bar(size=1, begin=0, end=part.asr.micro, width=_BAR, color=heat(part.asr.micro))


def repeats(rates: Sequence[tuple[int, int]], rank: int) -> list[Column]:
    """Return a column of query counts, from (queries, n), if any query is repeated."""
    if all(queries == n for queries, n in rates):
        return []
    return [Column("queries", [count(queries) for queries, _ in rates], rank)]


def write_riskiest(console: Console, target: TargetSummary) -> None:
    """Print the scenarios with the highest attack success rates in one line."""
    if not any(part.asr.unsafe for part in target.scenarios.values()):
        return
    worst = riskiest(target)
    text = Text()
    text.append(f"riskiest scenarios with n {LEAST_N} or more: ", style="dim")
    for place, (name, rate, n) in enumerate(worst):
        text.append(", " if place else "")
        text.append(title(name), style=heat(rate))
        text.append(f" {percent(rate)} (n {count(n)})")
    if not worst:
        text.append("none had an unsafe verdict")
    small = sum(1 for part in target.scenarios.values() if 0 < part.asr.n < LEAST_N)
    if small:
        text.append(f"; {many(small, 'scenario')} with a smaller n left out", style="dim")
    console.print(text)


def share_text(share: float | None) -> Text:
    """Return a share in percent, colored by its size."""
    return Text(points(share), style="dim" if share is None else heat(share))


def heat(share: float) -> str:
    """Return the color of an attack success rate."""
    if share < 0.05:
        return "green"
    if share < 0.25:
        return "yellow"
    return "dark_orange" if share < 0.5 else "red"
