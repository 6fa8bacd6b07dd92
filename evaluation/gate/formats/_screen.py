"""Prints what a gate decided at a terminal."""

from rich.console import Console
from rich.text import Text

from ....common import escape_line
from ....common.text import count
from ...report import Column, Grid, in_its_encoding, write_lines
from .._check import Check, Outcome
from .._gate import GateResult
from .._words import (
    amount,
    bound_of,
    explained,
    headline,
    interval_of,
    margin_of,
    result_of,
)

_STYLES = {Outcome.PASSED: "green", Outcome.FAILED: "bold red", Outcome.CANNOT_TELL: "yellow"}
_READING = (
    "value: the estimate; decides: what was compared with the bound, which is the unfavorable "
    "end of the 95 % interval, cases without a verdict (lost) at their worst."
)


def write_gate(result: GateResult, console: Console) -> None:
    """Print a gate's result to a console of any width, with or without colors."""
    in_its_encoding(console, lambda: _write(result, console))


def _write(result: GateResult, console: Console) -> None:
    style = "bold green" if result.passed else "bold red"
    if result.error is not None:
        console.print(Text(escape_line(headline(result)), style=style))
        console.print(Text(escape_line(result.error)))
        return
    _grid(result).write(console)
    console.print(Text(_READING), style="dim")
    console.print()
    write_lines(
        console,
        "Not passed",
        [f"{check.title}: {explained(check)}." for check in result.not_accepted],
    )
    write_lines(
        console,
        "Accepted by the policy",
        [
            f"{check.title}: {explained(check)}."
            for check in result.checks
            if check.is_accepted and check.outcome is Outcome.CANNOT_TELL
        ],
    )
    write_lines(console, "The run is not fit to be decided by", result.unfit)
    write_lines(console, "Notes", result.notes)
    console.print(Text(escape_line(headline(result)), style=style))


def _grid(result: GateResult) -> Grid:
    checks = result.in_order
    says = [check.rule.says for check in checks]
    columns = [
        Column("result", [_result(check) for check in checks], 0, left=True),
        Column("value", _amounts(checks, [check.value for check in checks])),
        Column("interval", [interval_of(check) for check in checks], 2),
        Column("decides", _amounts(checks, [check.decisive for check in checks]), 0),
        Column("bound", [bound_of(each) for each in says], 0),
        Column("margin", [margin_of(check) for check in checks]),
        Column("n", [count(check.n) for check in checks]),
    ]
    if any(check.missing for check in checks):
        columns.append(Column("lost", [count(check.missing) for check in checks], 3))
    return Grid("", "rule", [_name(check) for check in checks], columns)


def _amounts(checks: tuple[Check, ...], values: list[float | None]) -> list[str]:
    return [amount(check.rule.says, value) for check, value in zip(checks, values, strict=True)]


def _name(check: Check) -> Text:
    return Text(escape_line(f"{check.rule.name}: {check.of.label}"))


def _result(check: Check) -> Text:
    return Text(result_of(check), style=_STYLES[check.outcome])
