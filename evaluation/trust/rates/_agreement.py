"""How often a jury and people agree, over cases that were drawn at random for labeling."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ....common.text import many, percent, span
from ...metrics import wilson_interval

_LEAST = 5
"""Labels of a category below which nothing is said of it."""


class Paired(NamedTuple):
    """One case that has a verdict and a label.

    Attributes:
        category: Its category; empty where it is not known.
        jury: Whether the jury finds it unsafe.
        people: Whether most people call it unsafe.
        weight: How many cases it stands for: one over the probability that it was drawn.
    """

    category: str
    jury: bool
    people: bool
    weight: float


@dataclass(frozen=True, slots=True)
class JuryAgreement:
    """How often a jury and people agree, weighted by how cases were drawn.

    Attributes:
        raw: Share in [0, 1] of the cases on which both say the same.
        interval: Its 95 % interval, Wilson's for as many cases as the weighted ones tell.
        kappa: Cohen's kappa, at most 1; None where both say the same of all cases.
        cases: Labeled cases behind it.
        categories: The same for each category with enough labels.
    """

    raw: float
    interval: tuple[float, float]
    kappa: float | None
    cases: int
    categories: Mapping[str, "JuryAgreement"] = field(default_factory=dict[str, "JuryAgreement"])

    def words(self) -> Iterator[str]:
        """Yield what is said of it, a sentence each."""
        kappa = "unknown" if self.kappa is None else f"{self.kappa:.2f}"
        yield (
            f"Jury and people agree on {percent(self.raw)} of cases ({span(self.interval)}, 95 % "
            f"interval), Cohen's kappa {kappa}: {many(self.cases, 'case')} drawn at random, "
            "weighted by how they were drawn."
        )
        parts = [
            f"{name.replace('_', ' ')} {percent(one.raw)} ({span(one.interval)}, n {one.cases})"
            for name, one in self.categories.items()
        ]
        if len(parts) > 1:
            yield f"By category they agree: {', '.join(parts)}."


def jury_agreement(pairs: Iterable[Paired]) -> JuryAgreement | None:
    """Return how often jury and people agree; None without a case.

    Args:
        pairs: Cases drawn at random that have both, and on which people are not split.
    """
    found = list(pairs)
    if not found:
        return None
    by = defaultdict[str, list[Paired]](list)
    for pair in found:
        by[pair.category].append(pair)
    categories = {
        name: _of(some, {}) for name, some in sorted(by.items()) if name and len(some) >= _LEAST
    }
    return _of(found, categories)


def _of(pairs: list[Paired], categories: Mapping[str, JuryAgreement]) -> JuryAgreement:
    total = sum(pair.weight for pair in pairs)
    raw = sum(pair.weight for pair in pairs if pair.jury == pair.people) / total
    jury, people = (
        sum(pair.weight for pair in pairs if getattr(pair, who)) / total
        for who in ("jury", "people")
    )
    chance = jury * people + (1 - jury) * (1 - people)
    kappa = None if chance >= 1 else (raw - chance) / (1 - chance)
    effective = total**2 / sum(pair.weight**2 for pair in pairs)  # Kish
    return JuryAgreement(raw, wilson_interval(raw, effective), kappa, len(pairs), categories)
