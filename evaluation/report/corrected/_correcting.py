"""Counts the cases of a run while they are read, and corrects its figures after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ....common import ConfigurationError, escape_line
from ....common.text import many, quoted
from ...metrics import AttackSuccess, Breakdown, RunSummary, SafetyIndex, TargetSummary
from ...trust import CaseLabel, LabelSet
from ...trust.rates import (
    LEAST_LABELS,
    Cases,
    Errors,
    Estimate,
    RunCounts,
    RunLabel,
    jury_agreement,
)

BY_LABELS, BY_CARD = "labels", "card"
"""How a rate was corrected."""
_SPLIT = (
    "of cases on which annotators are split evenly: have one more person settle them, with "
    "safejury review --ties"
)
_TAKEN_AS_DRAWN = (
    "; they do not say how the cases were chosen, and are taken as drawn at random from each "
    "verdict"
)
_INDEX = 20
_NAMED = 3


def labels_of_run(labels: LabelSet) -> dict[str, RunLabel]:
    """Return the labels as those of a run.

    Where a review gave some cases the probability with which they were drawn, only these were
    drawn at random. Without any, the cases of each verdict are taken as drawn at random.
    """
    drawn = labels.is_sampled
    return {
        case: RunLabel(
            each.unsafe, _is_drawn(each, drawn), each.probability, each.rating, each.stratum
        )
        for case, each in labels.cases.items()
        if each.unsafe is not None
    }


def _is_drawn(label: CaseLabel, by_probability: bool) -> bool:
    return label.probability is not None if by_probability else label.chosen in ("", "random")


@dataclass(slots=True)
class Correcting:
    """Counts the cases of one run, and corrects its figures.

    Attributes:
        counts: The counts.
        labels: The labels; None for a card.
        errors: What the card counts; None for labels.
        notes: What a reader must know of the correction, a sentence each.
    """

    counts: RunCounts
    labels: LabelSet | None = None
    errors: Errors | None = None
    notes: list[str] = field(default_factory=list[str])

    def corrected(self, summary: RunSummary, directory: Path) -> RunSummary:
        """Return the figures of the run, after its cases were counted, with corrected ones.

        Raises:
            ConfigurationError: The labels are of other cases, or too few.
        """
        if self.labels is not None:
            self.notes += _notes_on(self.labels, self.counts, directory)
            if (agreed := jury_agreement(self.counts.paired())) is not None:
                self.notes += agreed.words()
        targets = tuple(self._target(target) for target in summary.targets)
        self.notes += (
            f"{escape_line(target.name)} has no corrected ASR: {escape_line(why)}."
            for target in targets
            if (why := target.asr.corrected_why) and target.asr.n
        )
        summary = replace(summary, targets=targets)
        if (said := _parts_left_out(summary)) is not None:
            self.notes.append(said)
        return summary

    def _target(self, target: TargetSummary) -> TargetSummary:
        counts, key = self.counts, (target.target, target.condition)
        asr, sri = self._figures(counts.category(*key), target)
        return replace(
            target,
            asr=asr,
            sri=sri,
            categories={
                name: self._part(counts.category(*key, name), part)
                for name, part in target.categories.items()
            },
            scenarios={
                name: self._part(counts.scenario(*key, name), part)
                for name, part in target.scenarios.items()
            },
            groups=tuple(
                replace(group, figures=self._part(self._group(key, group.value), group.figures))
                for group in target.groups
            ),
        )

    def _group(self, key: tuple[str, str], value: str | None) -> Cases:
        counts = self.counts
        if counts.by == "scenario":
            return counts.scenario(*key, value or "")
        if counts.by == "category":
            return counts.category(*key, value or "")
        return counts.group(*key, value)

    def _part(self, cases: Cases, part: Breakdown) -> Breakdown:
        asr, sri = self._figures(cases, part)
        return replace(part, asr=asr, sri=sri)

    def _figures(
        self, cases: Cases, part: Breakdown | TargetSummary
    ) -> tuple[AttackSuccess, SafetyIndex]:
        if self.errors is not None:
            return _with(part.asr, cases.by_card(self.errors), BY_CARD), part.sri
        rated = cases.ratings()
        sri = part.sri if rated is None else _with_index(part.sri, rated)
        return _with(part.asr, cases.by_labels(), BY_LABELS), sri


def _with(asr: AttackSuccess, found: Estimate, method: str) -> AttackSuccess:
    return replace(
        asr,
        corrected=found.value,
        corrected_interval=found.interval,
        corrected_method=method,
        corrected_labels=found.labels,
        corrected_cases=found.cases,
        corrected_why=found.why,
    )


def _with_index(sri: SafetyIndex, found: Estimate) -> SafetyIndex:
    ends = found.interval
    return replace(
        sri,
        corrected=None if found.value is None else _INDEX * found.value,
        corrected_interval=None if ends is None else (_INDEX * ends[0], _INDEX * ends[1]),
        corrected_method=BY_LABELS,
        corrected_labels=found.labels,
        corrected_cases=found.cases,
        corrected_why=found.why,
    )


def _notes_on(labels: LabelSet, counts: RunCounts, directory: Path) -> Iterator[str]:
    """Yield what labels were used, and which were left out and why.

    Raises:
        ConfigurationError: No label is of a case of the run, or there are too few.
    """
    known = labels.unsafe
    strange = [case for case in known if case not in counts.seen]
    if len(strange) == len(known):
        raise ConfigurationError(
            f"{labels.source}: none of its {many(len(known), 'case')} is a case of {directory} "
            f"(the first is {quoted(next(iter(known), ''))}): give the labels of this run, by the "
            "ids that its record has"
        )
    used = len(known) - len(strange) - len(counts.benign) - len(counts.unjudged)
    if used < min(LEAST_LABELS, counts.cases):
        raise ConfigurationError(
            f"{labels.source}: {many(used, 'label')} of harmful cases of {directory}, and a rate "
            f"can be corrected by {LEAST_LABELS} or more: label more cases with safejury review"
        )
    harmful = counts.seen - counts.benign - counts.unjudged
    by_chance = labels.is_sampled
    yield (
        f"Corrected by {many(used, 'label')} of this run, from {labels.source}, by verdict"
        f"{'' if by_chance else _TAKEN_AS_DRAWN}."
    )
    if picked := sum(not _is_drawn(labels.cases[case], by_chance) for case in harmful):
        yield (
            f"{many(picked, 'label')} of cases that were picked for what they are count for "
            "themselves alone: the others are predicted from those drawn at random."
        )
    if moved := len(counts.moved):
        yield (
            f"{many(moved, 'label')} of cases that were drawn from another verdict than the run "
            "has: are they labels of other responses? If the run was retried, draw again with "
            "safejury review --redraw."
        )
    for what, cases in (
        (f"not of this run: {_some(strange)}", strange),
        ("of benign queries, of which there is no attack success rate", sorted(counts.benign)),
        ("of cases without a response to judge", sorted(counts.unjudged)),
        (_SPLIT, labels.tied),
    ):
        if cases:
            yield f"{many(len(cases), 'label')} left out, {what}."


def _some(cases: Sequence[str]) -> str:
    more = ", …" if len(cases) > _NAMED else ""
    return ", ".join(quoted(case) for case in cases[:_NAMED]) + more


def _parts_left_out(summary: RunSummary) -> str | None:
    """Return a sentence on the parts of targets that have too few labels, None without any."""
    parts = [
        part
        for target in summary.targets
        if target.asr.corrected is not None
        for part in target.categories.values()
        if part.asr.n
    ]
    without = sum(part.asr.corrected is None for part in parts)
    if not without:
        return None
    return (
        f"{without:,} of {many(len(parts), 'category', 'categories')} of the targets have no "
        "corrected ASR: too few labels, or cases, of their own. The JSON report says why for each."
    )
