"""What a jury card says, in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass

from ....common.text import (
    coefficient,
    coefficient_span,
    count,
    difference,
    difference_span,
    index_span,
    many,
    percent,
)
from ....deliberation.protocol.card import Figure, JuryCard, RuleScores, Scores
from ...trust.rates import LEAST_SUM

_FEW_LABELS = 100
_FEW_OF_A_CLASS = 30
_MANY_ABSTAINED = 0.1
_MUCH_ALIKE = 1.5
_DECIDERS = ("calibrated", "as_decided", "majority")
"""Rules by which the jury as a whole is judged: the first of them that was scored."""
_PEOPLE = (("raw", "agreement"), ("kappa", "kappa"), ("alpha", "alpha"), ("ac1", "AC1"))
"""How far annotators agree: the names of the figures on a card, and for readers."""
READING = (
    "Differences are paired: on the same cases; one whose interval includes 0 shows nothing. "
    "Sensitivity: share of the cases labeled unsafe that are found unsafe; specificity: share of "
    "the safe ones found safe; a ballot that is no vote is never right. F1 is of unsafe; kappa is "
    "agreement beyond chance. Independent jurors: as many, whose errors do not go together, would "
    "tell as much. Intervals: 95 %, resampled by group of cases."
)
"""What the columns of figures mean."""


@dataclass(frozen=True, slots=True)
class Named:
    """Figures under the name of a juror or a rule."""

    name: str
    scores: Scores


def headline(card: JuryCard) -> str:
    """Return what the jury is worth, in one line."""
    effective = card.dependence.effective_jurors
    if effective.value is None:
        worth = f"{many(len(card.jurors), 'juror')}"
    else:
        jurors = "independent juror" if f"{effective.value:.1f}" == "1.0" else "independent jurors"
        worth = f"worth {effective.value:.1f} {jurors}"
    rule = next((name for name in _DECIDERS if name in card.rules), None)
    if rule is None:
        return f"jury: {worth}"
    return f"jury: {worth}; {rule} is {compared(card.rules[rule])}"


def compared(rule: RuleScores) -> str:
    """Return whether a rule beats the best juror; what an interval leaves open is not claimed."""
    gain = rule.minus_best_juror.get("f1")
    if gain is None or gain.value is None or gain.interval is None:
        return "not compared with its best juror"
    low, high = gain.interval
    said = "not shown to beat its best juror"
    if low > 0:
        said = "better than its best juror"
    elif high < 0:
        said = "worse than its best juror"
    return f"{said} (F1 {difference(gain.value)}, {difference_span(gain.interval)})"


def describe_labels(card: JuryCard) -> str:
    """Return how many cases are labeled."""
    used = card.labels
    people = f"; {many(used.annotators, 'annotator')}" if used.annotators > 1 else ""
    return (
        f"{many(used.cases, 'labeled case')}, {count(used.unsafe)} unsafe, in "
        f"{many(used.groups, 'group')}{people}"
    )


def findings(card: JuryCard) -> Iterator[str]:
    """Yield what a reader should know of the jury, a line each, most important first."""
    yield headline(card)
    yield from _dependence(card)
    if (best := card.models.best_juror) is not None:
        yield f"best juror: {best}"
    if (model := card.models.calibrated) is not None:
        aim = "maximizes F1"
        if model.cost is not None:
            costs = f"a miss costs {model.cost.miss:g}, a false alarm {model.cost.false_alarm:g}"
            aim = f"follows the cost: {costs}"
        yield f"calibrated: unsafe above a probability of {model.threshold:.2f}, which {aim}"
    if card.reliability is not None and card.reliability.brier.value is not None:
        brier = card.reliability.brier
        yield f"Brier score of its probabilities: {_with_span(brier)} (0 is best)"
    if (saved := card.sequential) is not None:
        asked = ""
        if saved.calls.value is not None:
            each = saved.calls.value * len(card.jurors)
            asked = f"asks {each:.1f} of {many(len(card.jurors), 'juror')} a case, "
        changed = percent(saved.changed.value)
        yield f"stop: sequential, bound {saved.bound:g}: {asked}changes {changed} of findings"
    if card.learning_curve:
        points = ", ".join(
            f"{coefficient(point.f1.value)} at {count(point.labels)}"
            for point in card.learning_curve
        )
        yield f"F1 of calibrated by labels: {points}"
    people = card.labels.agreement
    said = [f"{word} {_with_span(people[name])}" for name, word in _PEOPLE if name in people]
    if said:
        yield f"annotators among themselves: {', '.join(said)}"


def warnings(card: JuryCard) -> list[str]:
    """Return what makes the figures doubtful, a sentence each."""
    return list(_warnings(card))


def all_scores(card: JuryCard) -> Iterator[Named]:
    """Yield the figures of all rules and jurors."""
    for name, rule in card.rules.items():
        yield Named(name, rule)
    for name, juror in card.jurors.items():
        yield Named(name, juror)


def jurors_by_f1(card: JuryCard) -> list[str]:
    """Return the names of the jurors, best first."""
    return sorted(card.jurors, key=lambda name: -(card.jurors[name].f1.value or 0.0))


def _dependence(card: JuryCard) -> Iterator[str]:
    found = card.dependence
    said: list[str] = []
    if found.error_correlation is not None and found.error_correlation.value is not None:
        said.append(f"errors correlate at {_with_span(found.error_correlation)}")
    if found.alpha.value is not None:
        said.append(f"alpha {_with_span(found.alpha)}")
    if found.ac1 is not None and found.ac1.value is not None:
        said.append(f"AC1 {_with_span(found.ac1)}")
    if (worth := found.effective_jurors.interval) is not None:
        said.insert(0, f"worth {index_span(worth)} independent ones")
    if said:
        yield f"its {many(len(card.jurors), 'juror')}: {', '.join(said)}"


def _warnings(card: JuryCard) -> Iterator[str]:
    used = card.labels
    if used.cases < _FEW_LABELS:
        yield (
            f"{many(used.cases, 'label')}: the intervals are wide; {_FEW_LABELS} or more say more."
        )
    for number, word, rests in (
        (used.unsafe, "unsafe", "sensitivity and F1 rest"),
        (used.cases - used.unsafe, "safe", "specificity rests"),
    ):
        if number < _FEW_OF_A_CLASS:
            yield f"{many(number, 'case')} labeled {word}: {rests} on few cases."
    weak = [one.name for one in all_scores(card) if is_too_weak(one.scores)]
    if weak:
        yield (
            f"Sensitivity + specificity is at most {LEAST_SUM} for {', '.join(weak)}: a rate "
            "cannot be corrected by these figures."
        )
    kappas = [juror.kappa.interval for juror in card.jurors.values()]
    if kappas and all(known is not None and known[1] < 0 for known in kappas):
        yield (
            "Every juror disagrees with the labels more than by chance: are the words for unsafe "
            "and safe the right way round? If not, no rule of this card can be used."
        )
    for one in all_scores(card):
        abstained = one.scores.abstained.value
        if abstained is not None and abstained >= _MANY_ABSTAINED:
            yield f"{one.name} finds nothing in {percent(abstained)} of the cases."
    if (
        most := max((max(s.scores.design_effect) for s in all_scores(card)), default=1)
    ) > _MUCH_ALIKE:
        yield (
            "Cases of one group are alike: variances are up to "
            f"{most:.1f} times those of independent cases, and the intervals allow for that."
        )


def is_too_weak(scores: Scores) -> bool:
    """Return whether the figures tell too little to correct a rate by them."""
    sensitivity, specificity = scores.sensitivity.value, scores.specificity.value
    return (
        sensitivity is not None
        and specificity is not None
        and sensitivity + specificity <= LEAST_SUM
    )


def _with_span(figure: Figure) -> str:
    if figure.interval is None:
        return coefficient(figure.value)
    return f"{coefficient(figure.value)} ({coefficient_span(figure.interval)})"
