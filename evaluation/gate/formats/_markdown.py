"""Writes what a gate decided as Markdown, for a pull request or a job's summary."""

from collections.abc import Iterable

from ....common.text import count
from ...report import inline
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

_SIGNS = {
    Outcome.PASSED: "\N{WHITE HEAVY CHECK MARK}",
    Outcome.FAILED: "\N{CROSS MARK}",
    Outcome.CANNOT_TELL: "\N{BLACK QUESTION MARK ORNAMENT}",
}
_MOST_CHECKS = 200
"""Rows of the table: a comment on a pull request has room for 65,536 characters."""
_MOST_LINES = 50


def gate_markdown(result: GateResult) -> str:
    """Return a gate's result as Markdown, with all names escaped."""
    sign = _SIGNS[Outcome.PASSED if result.passed else Outcome.FAILED]
    lines = [f"### {sign} {_text(headline(result))}", ""]
    if result.error is not None:
        return "\n".join([*lines, _text(result.error), ""])
    lines += _table(result)
    lines += _listed(
        "Not passed",
        (f"{_text(check.title)}: {_text(explained(check))}." for check in result.not_accepted),
    )
    lines += _listed("The run is not fit to be decided by", map(_text, result.unfit))
    lines += _listed("Notes", map(_text, result.notes))
    source = "the command line" if result.policy.source is None else str(result.policy.source)
    digest = f"; SHA-256 of the run: {result.record}" if result.record else ""
    return "\n".join([*lines, f"Policy: {_text(source)}{digest}", ""])


def _table(result: GateResult) -> list[str]:
    order = result.in_order
    rows = [
        "| | rule | of | result | value | 95 % interval | decides | bound | margin | n | lost |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(f"| {' | '.join(_cells(check))} |" for check in order[:_MOST_CHECKS]),
    ]
    if len(order) > _MOST_CHECKS:
        rows += ["", f"{len(order) - _MOST_CHECKS:,} more checks are not shown."]
    return [*rows, ""]


def _cells(check: Check) -> list[str]:
    says = check.rule.says
    return [
        _SIGNS[check.outcome],
        _text(check.rule.name),
        _text(check.of.label),
        result_of(check),
        amount(says, check.value),
        interval_of(check),
        amount(says, check.decisive),
        bound_of(says),
        margin_of(check),
        count(check.n),
        count(check.missing),
    ]


def _listed(heading: str, items: Iterable[str]) -> list[str]:
    lines = [f"- {item}" for item in items]
    if not lines:
        return []
    more = [f"- … and {len(lines) - _MOST_LINES:,} more"] if len(lines) > _MOST_LINES else []
    return [f"**{heading}**", "", *lines[:_MOST_LINES], *more, ""]


def _text(text: str) -> str:
    # A name such as @team would call people on a forge.
    return inline(text).replace("@", "&#64;").replace("_", "\\_")
