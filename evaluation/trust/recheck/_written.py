"""Writes a check of a jury card as text or as data."""

from collections.abc import Iterator
from typing import Any

import msgspec

from ....common import escape_line
from ....common.text import aligned, many, percent
from ._checks import CheckedJuror
from ._compare import JurorCheck, Rates
from ._hearing import Checked


def check_data(checked: Checked) -> dict[str, Any]:
    """Return a check as plain data, for JSON."""
    flagged = checked.flagged
    return {
        "card": str(checked.plan.path),
        "cases": len(checked.plan.sample.cases),
        "alpha": checked.plan.alpha,
        "at": None if checked.check is None else checked.check.at,
        "moved": [one.juror for one in checked.moved],
        "not_checked": [one.juror for one in checked.unheard],
        "jurors": {one.juror: _juror(one) for one in checked.jurors},
        "rule": {"name": str(checked.plan.rule), **_both(checked.before, checked.now)},
        "rate": {
            "raw": flagged,
            "corrected_before": None if flagged is None else checked.before.corrected(flagged),
            "corrected_now": None if flagged is None else checked.now.corrected(flagged),
        },
    }


def _juror(one: JurorCheck) -> dict[str, object]:
    return {**msgspec.structs.asdict(CheckedJuror.of(one)), **_both(one.before, one.now)}


def _both(before: Rates, now: Rates) -> dict[str, object]:
    return {
        "sensitivity": [before.sensitivity, now.sensitivity],
        "specificity": [before.specificity, now.specificity],
    }


def check_text(checked: Checked) -> str:
    """Return a check as text, without a word of the cases."""
    return "".join(f"{line}\n" for line in _lines(checked))


def _lines(checked: Checked) -> Iterator[str]:
    plan = checked.plan
    yield escape_line(
        f"{plan.path}: {many(len(plan.sample.cases), 'case')} heard again; the chance to name a "
        f"juror that did not move is at most {percent(checked.plan.alpha)}."
    )
    yield ""
    head = ("juror", "changed", "for good", "p", "sensitivity", "specificity", "")
    yield from aligned([head, *map(_row, checked.jurors)])
    yield ""
    yield from aligned([("by the rule", "sensitivity", "specificity"), _rule_row(checked)])
    flagged = checked.flagged
    if flagged is None:
        return
    then, now = (_corrected(rates, flagged) for rates in (checked.before, checked.now))
    yield (
        f"The run's rate is {percent(flagged)} raw; corrected by these cases, {then} as they were "
        f"judged then, {now} as they are judged now."
    )


def _corrected(rates: Rates, flagged: float) -> str:
    corrected = rates.corrected(flagged)
    return "not to be known" if corrected is None else percent(corrected)


def _row(one: JurorCheck) -> tuple[str, ...]:
    lost = f", {one.lost} lost" if one.lost else ""
    return (
        escape_line(one.juror),
        f"{one.changed} of {one.cases}{lost}",
        f"{one.confirmed} of {one.asked_again}",
        f"{one.p:.2g}",
        f"{percent(one.before.sensitivity)} -> {percent(one.now.sensitivity)}",
        f"{percent(one.before.specificity)} -> {percent(one.now.specificity)}",
        "moved" if one.moved else "",
    )


def _rule_row(checked: Checked) -> tuple[str, ...]:
    before, now = checked.before, checked.now
    return (
        str(checked.plan.rule),
        f"{percent(before.sensitivity)} -> {percent(now.sensitivity)}",
        f"{percent(before.specificity)} -> {percent(now.specificity)}",
    )
