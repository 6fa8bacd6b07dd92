"""The summary for a person at a terminal."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.bar import Bar
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from ..deliberation import harmless_line
from ._parity import ParityFlag
from ._report_health import MIN_COVERAGE, NOTHING_UNREAD, UnreadRows, health_warnings
from ._report_words import (
    ASKED_DIFFERENTLY,
    MISSING,
    coefficient,
    cost,
    count,
    index,
    percent,
    points,
    ranked,
    riskiest,
    span,
    title,
)
from ._summary import Breakdown, RunSummary, TargetSummary

_WIDE = 100
"""Columns of a terminal from which the extra columns fit."""
_SCALE = 24
"""Characters that stand for 0 to 100 % in the drawing of an interval."""
_BAR = 8
"""Characters that stand for 0 to 100 % in a bar."""


def report_table(
    summary: RunSummary,
    console: Console,
    *,
    notes: Sequence[str] = (),
    parity: Sequence[ParityFlag] = (),
    unread: Mapping[str, UnreadRows] = NOTHING_UNREAD,
    min_coverage: float = MIN_COVERAGE,
) -> None:
    """Write the summary to a console of any width, coloured or not.

    Args:
        summary: What the run found.
        console: Where to write.
        notes: Sentences that the reader must see first.
        parity: What makes the targets hard to compare.
        unread: What of the targets' files of responses was not read.
        min_coverage: Least coverage, in [0, 1], that passes without a warning.
    """
    doubts = {
        ASKED_DIFFERENTLY: [flag.text for flag in parity],
        "Doubts": health_warnings(summary, min_coverage=min_coverage, unread=unread),
    }
    if not console.options.ascii_only:
        _write(ranked(summary), console, notes, doubts)
        return
    with console.capture() as captured:
        _write(ranked(summary), console, notes, doubts)
    text = captured.get().translate({ord(MISSING): "-", ord("≥"): ">="})
    console.file.write(text.encode(console.encoding, "replace").decode(console.encoding))


def _write(
    targets: Sequence[TargetSummary],
    console: Console,
    notes: Sequence[str],
    doubts: Mapping[str, Sequence[str]],
) -> None:
    _write_lines(console, "Read this first", notes)
    if notes:
        console.print()
    console.print(_leaderboard(targets, console))
    console.print(_reading(), style="dim")
    for target in targets:
        if target.verdicts:
            console.print()
            console.print(_categories(target, console))
            _write_riskiest(console, target)
    for table in (_outcomes(targets), _jury(targets), _spending(targets)):
        console.print()
        console.print(table)
    for heading, lines in doubts.items():
        if lines:
            console.print()
        _write_lines(console, heading, lines)


def _reading() -> Text:
    return Text(
        "ASR: unsafe verdicts per harmful query, lower is safer. SRI: 20 to 100, higher is "
        f"safer. Intervals: 95 %. {MISSING}: nothing was measured."
    )


def _table(heading: str, first: str, columns: Sequence[str], *, close: bool = False) -> Table:
    table = Table(
        title=Text(heading, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 0 if close else 1, 0, 0),
        header_style="dim",
    )
    # Only this column may wrap: a number cut short would be another number.
    table.add_column(first, overflow="fold", min_width=8)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _leaderboard(targets: Sequence[TargetSummary], console: Console) -> Table:
    wide = console.width >= _WIDE
    columns = ["ASR %", "interval", "SRI", "over-\nrefusal %", "cover-\nage %", "con-\ntested %"]
    table = _table("Targets, safest first", "target", [*columns, "cost"])
    if wide:
        table.add_column("macro\nASR %", justify="right", no_wrap=True)
        table.add_column(f"0 %{'ASR':^{_SCALE - 8}}100 %", no_wrap=True)
    for target in targets:
        cells: list[RenderableType] = [
            Text(harmless_line(target.name), style="bold"),
            _share(target.asr.micro),
            span(target.asr.interval),
            index(target.sri.micro),
            points(target.over_refusal.value),
            points(target.coverage),
            points(target.contested.value),
            cost(target),
        ]
        if wide:
            cells += [points(target.asr.macro), _interval_line(target, console)]
        table.add_row(*cells)
    return table


def _interval_line(target: TargetSummary, console: Console) -> Text:
    """Draw the interval as a line, and the rate as a point on it."""
    track, line, point = ("-", "=", "O") if console.options.ascii_only else ("·", "━", "●")
    text = Text(track * _SCALE, style="dim")
    if target.asr.micro is None or target.asr.interval is None:
        return text
    low, at, high = (
        min(_SCALE - 1, int(share * _SCALE))
        for share in (target.asr.interval[0], target.asr.micro, target.asr.interval[1])
    )
    drawn = Text(track * low, style="dim")
    drawn.append(line * (at - low) + point + line * (high - at), style=_heat(target.asr.micro))
    return drawn.append(track * (_SCALE - 1 - high))


def _categories(target: TargetSummary, console: Console) -> Table:
    table = _table(f"{harmless_line(target.name)}: by category", "category", ["ASR %"])
    bars = not console.options.ascii_only
    if bars:
        table.add_column("", width=_BAR)
    wide = console.width >= _WIDE
    columns = ["interval", "n", "SRI", "over-\nrefusal %", *(["cover-\nage %"] if wide else [])]
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for name, part in target.categories.items():
        cells: list[RenderableType] = [title(name), _share(part.asr.micro)]
        if bars:
            cells.append(_bar(part))
        table.add_row(
            *cells,
            span(part.asr.interval),
            count(part.asr.n),
            index(part.sri.micro),
            points(part.over_refusal.value),
            *([points(part.coverage)] if wide else []),
        )
    return table


def _bar(part: Breakdown) -> RenderableType:
    if part.asr.micro is None:
        return ""
    return Bar(size=1, begin=0, end=part.asr.micro, width=_BAR, color=_heat(part.asr.micro))


def _write_riskiest(console: Console, target: TargetSummary) -> None:
    worst = riskiest(target)
    if not worst:
        return
    text = Text()
    text.append("riskiest: ", style="dim")
    for place, (name, rate, n) in enumerate(worst):
        text.append(", " if place else "")
        text.append(title(name), style=_heat(rate))
        text.append(f" {percent(rate)} (n {count(n)})")
    console.print(text)


def _outcomes(targets: Sequence[TargetSummary]) -> Table:
    first = targets[0].outcomes if targets else None
    responses = list(first.responses) if first else []
    verdicts = list(first.verdicts) if first else []
    heads = [name.replace("_", "\n") for name in (*responses, *verdicts)]
    close = _have_conditions(targets)
    table = _table("Responses and verdicts, cases", "target", heads, close=close)
    for target in targets:
        table.add_row(
            Text(harmless_line(target.name)),
            *(count(target.outcomes.responses[name]) for name in responses),
            *(count(target.outcomes.verdicts[name]) for name in verdicts),
        )
    return table


def _jury(targets: Sequence[TargetSummary]) -> Table:
    columns = ["agree-\nment %", "alpha", "ASR %\nround 0", "ASR %\nfinal", "discus-\nsed"]
    flips = ["flipped\nunsafe", "flipped\nsafe", "verdicts\nchanged"]
    heads, close = [*columns, *flips], _have_conditions(targets)
    table = _table("The jury, and what talking changed", "target", heads, close=close)
    for target in targets:
        table.add_row(
            Text(harmless_line(target.name)),
            points(target.agreement.pairwise),
            coefficient(target.agreement.alpha),
            points(target.initial_asr.value),
            points(target.asr.micro),
            count(target.flips.cases_discussed),
            count(target.flips.to_unsafe),
            count(target.flips.to_safe),
            count(target.flips.verdicts_changed),
        )
    return table


def _have_conditions(targets: Sequence[TargetSummary]) -> bool:
    """Return whether names are long: where there are many columns, these move together."""
    return any(target.condition for target in targets)


def _spending(targets: Sequence[TargetSummary]) -> Table:
    columns = ["calls", "prompt\ntokens", "of these\ncached", "completion\ntokens", "cost"]
    table = _table("Spent, target and jury together", "target", columns)
    for target in targets:
        table.add_row(
            Text(harmless_line(target.name)),
            count(target.calls),
            count(target.tokens.prompt),
            count(target.tokens.cached),
            count(target.tokens.completion),
            cost(target),
        )
    return table


def _share(share: float | None) -> Text:
    return Text(points(share), style="dim" if share is None else _heat(share))


def _heat(share: float) -> str:
    if share < 0.05:
        return "green"
    if share < 0.25:
        return "yellow"
    return "dark_orange" if share < 0.5 else "red"


def _write_lines(console: Console, heading: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    console.print(Text(heading, style="bold yellow"))
    table = Table.grid(padding=(0, 1, 0, 0))
    for line in lines:
        table.add_row(Text("!", style="yellow"), Text(harmless_line(line)))
    console.print(table)
