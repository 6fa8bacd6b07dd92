"""Prints a jury card at a terminal."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from ....common import escape_line
from ....common.text import (
    coefficient,
    coefficient_span,
    difference,
    difference_span,
    points,
    span,
)
from ....deliberation.protocol.card import Figure, JuryCard, RuleScores, Scores
from .._grid import Column, Grid, in_its_encoding, write_lines
from ._words import READING, describe_labels, findings, jurors_by_f1, warnings

_UNKNOWN = Figure(None, None)


def write_card_table(card: JuryCard, console: Console) -> None:
    """Print a jury card to a console of any width, with or without colors."""
    in_its_encoding(console, lambda: _write(card, console))


def _write(card: JuryCard, console: Console) -> None:
    write_lines(console, "Read this first", card.notes)
    if card.notes:
        console.print()
    what = "Jury card" if card.made else "Scores of a jury card, nothing fitted"
    console.print(Text(f"{what}: {describe_labels(card)}", style="bold"))
    for line in findings(card):
        console.print(Text(escape_line(line)))
    for grid in _grids(card):
        console.print()
        grid.write(console)
    console.print()
    console.print(Text(READING), style="dim")
    if said := warnings(card):
        console.print()
        write_lines(console, "Warnings", said)


def _grids(card: JuryCard) -> Iterator[Grid]:
    rules = list(card.rules.items())
    yield Grid(
        "Rules against the labels",
        "rule",
        [Text(name) for name, _ in rules],
        [*_gains(card.rules), *_scores([rule for _, rule in rules], "verdict")],
    )
    names = jurors_by_f1(card)
    columns = _scores([card.jurors[name] for name in names], "vote")
    if card.without:
        lost = [difference(card.without.get(name, _UNKNOWN).value) for name in names]
        columns.append(Column("F1 lost\nwithout", lost, 4))
    yield Grid("Jurors against the labels", "juror", [Text(escape_line(n)) for n in names], columns)


def _scores(rows: Sequence[Scores], none: str) -> list[Column]:
    columns = [
        Column("F1", [coefficient(row.f1.value) for row in rows], 0),
        _interval("F1", [coefficient_span(row.f1.interval) for row in rows], 2),
    ]
    for head, name in (("sensi-\ntivity %", "sensitivity"), ("speci-\nficity %", "specificity")):
        shares: list[Figure] = [getattr(row, name) for row in rows]
        columns += [
            Column(head, [points(share.value) for share in shares], 1, f"{name} %"),
            _interval(name, [span(share.interval) for share in shares], 5),
        ]
    return [
        *columns,
        Column("kappa", [coefficient(row.kappa.value) for row in rows], 4),
        Column(f"no\n{none} %", [points(row.abstained.value) for row in rows], 3, f"no {none} %"),
    ]


def _gains(rules: Mapping[str, RuleScores]) -> list[Column]:
    gains = [
        _UNKNOWN if name == "best_juror" else rule.minus_best_juror.get("f1", _UNKNOWN)
        for name, rule in rules.items()
    ]
    # Without its interval a gain would look like one: neither goes without the other.
    return [
        Column("F1 minus\nbest juror", [difference(gain.value) for gain in gains], 0),
        _interval("difference", [difference_span(gain.interval) for gain in gains], 0),
    ]


def _interval(name: str, cells: Sequence[str], rank: int) -> Column:
    return Column("interval", cells, rank, f"interval of {name}")
