"""Writes a jury card as a page in Markdown."""

from collections.abc import Iterable, Sequence

from ....common.text import (
    coefficient,
    coefficient_span,
    count,
    difference,
    difference_span,
    points,
    span,
)
from ....deliberation.protocol.card import Figure, JuryCard, RuleScores, Scores
from .._words import inline, markdown_table
from ._words import READING, describe_labels, findings, jurors_by_f1, warnings

_SCORES = (
    "F1|95 % interval|range|sensitivity %|95 % interval|specificity %|95 % interval|kappa|"
    "95 % interval|{none} %|95 % interval"
)
_GAINS = "F1 minus best juror|95 % interval|F1 minus majority|95 % interval"


def card_markdown(card: JuryCard) -> str:
    """Write a jury card for a page, in Markdown."""
    what = f"Jury card of {card.made}" if card.made else "Scores of a jury card, nothing fitted"
    lines = [f"# {inline(what)}", "", f"{describe_labels(card)}.", ""]
    lines += _listed("Read this first", [*card.notes, *warnings(card)])
    lines += _listed("In short", list(findings(card)))
    lines += ["## Rules", "", *_rules(card), "", READING, "", *_decided_by(card), ""]
    lines += ["## Jurors", "", *_jurors(card), ""]
    lines += _pairs(card)
    lines += _reliability(card)
    lines += _curve(card)
    lines += _counted("Labeled cases by target", card.labels.targets)
    lines += _counted("Labeled cases by scenario", card.labels.scenarios)
    lines += [
        "## Identity",
        "",
        f"- read from: {inline('a run' if card.jury.source == 'run' else 'a file of ballots')}",
        f"- hash of the jury: `{inline(card.jury.sha256) or 'none'}`",
    ]
    return "\n".join(lines).rstrip() + "\n"


def _listed(heading: str, said: Sequence[str]) -> list[str]:
    return [f"## {heading}", "", *(f"- {inline(line)}" for line in said), ""] if said else []


def _rules(card: JuryCard) -> list[str]:
    rows = [[name, *_gains(name, rule), *_scores(rule)] for name, rule in card.rules.items()]
    return markdown_table(f"rule|{_GAINS}|{_SCORES.format(none='no verdict')}", rows)


def _jurors(card: JuryCard) -> list[str]:
    models = {seat.name: (seat.persona, seat.model) for seat in card.jury.seats}
    rows = [
        [
            name,
            *map(inline, models.get(name, ("", ""))),
            *_scores(card.jurors[name]),
            *_difference(card.without.get(name)),
        ]
        for name in jurors_by_f1(card)
    ]
    header = f"juror|persona|model|{_SCORES.format(none='no vote')}|F1 lost without|95 % interval"
    return markdown_table(header, rows)


def _scores(row: Scores) -> list[str]:
    f1, kappa = row.f1, row.kappa
    cells = [coefficient(f1.value), coefficient_span(f1.interval), coefficient_span(f1.range)]
    for share in (row.sensitivity, row.specificity):
        cells += [points(share.value), span(share.interval)]
    cells += [coefficient(kappa.value), coefficient_span(kappa.interval)]
    return [*cells, points(row.abstained.value), span(row.abstained.interval)]


def _gains(name: str, rule: RuleScores) -> list[str]:
    """Return the cells of the differences; a rule is not compared with itself."""
    best = None if name == "best_juror" else rule.minus_best_juror.get("f1")
    majority = None if name == "majority" else rule.minus_majority.get("f1")
    return [*_difference(best), *_difference(majority)]


def _difference(figure: Figure | None) -> list[str]:
    if figure is None:
        return ["", ""]
    return [difference(figure.value), difference_span(figure.interval)]


def _decided_by(card: JuryCard) -> list[str]:
    """Return what decided each row of figures."""
    return [
        f"- {inline(name)}: rule {inline(rule.protocol.rule)}, stop {inline(rule.protocol.stop)}, "
        f"talk {inline(rule.protocol.talk)}"
        + ("; fitted on other cases than scored" if rule.cross_validated else "")
        for name, rule in card.rules.items()
    ]


def _pairs(card: JuryCard) -> list[str]:
    """Return how far the errors of each two jurors go together."""
    pairs = card.dependence.pairs
    if not pairs:
        return []
    names = list(card.jurors)
    header = "|".join(["juror", *map(inline, names)])

    def cell(one: str, other: str) -> str:
        found = pairs.get(one, {}).get(other, pairs.get(other, {}).get(one))
        return "" if one == other else coefficient(found)

    rows = [[one, *(cell(one, other) for other in names)] for one in names]
    return ["## Correlation of errors", "", *markdown_table(header, rows), ""]


def _reliability(card: JuryCard) -> list[str]:
    if card.reliability is None or not card.reliability.bins:
        return []
    rows = [
        [
            f"{one.low:.2f} to {one.high:.2f}",
            coefficient(one.mean),
            points(one.unsafe.value),
            span(one.unsafe.interval),
            count(one.cases),
        ]
        for one in card.reliability.bins
    ]
    header = "probability|mean|labeled unsafe %|95 % interval|cases"
    heading = "## Probabilities of the rule calibrated against the labels"
    return [heading, "", *markdown_table(header, rows), ""]


def _curve(card: JuryCard) -> list[str]:
    rows = [
        [count(point.labels), coefficient(point.f1.value), coefficient_span(point.f1.interval)]
        for point in card.learning_curve
    ]
    if not rows:
        return []
    table = markdown_table("labels|F1 of calibrated|95 % interval", rows)
    return ["## What more labels bring", "", *table, ""]


def _counted(heading: str, counts: Iterable[tuple[str, int]] | dict[str, int]) -> list[str]:
    rows = [[name or "not known", count(number)] for name, number in dict(counts).items()]
    table = markdown_table("name|labeled cases", rows)
    return [f"## {heading}", "", *table, ""] if rows else []
