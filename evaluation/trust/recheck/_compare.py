"""Tests for each juror whether its votes on the same cases are other ones than before.

A juror that did not change states the old vote and the new one by the same chances, whatever they
are. Where the two differ, it is asked once more: then the third vote sides with either of them
with probability 1/2. If it sides with the new one too often, the juror moved; if it sides with the
old one too often, the juror repeats itself less than it did. This needs no figure of how well a
juror repeats itself, and holds however noisy it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ....agents import Finding
from ...metrics import holm, mcnemar
from ..rates import Errors
from ._sample import Said

Key = tuple[str, str]
"""A case and a juror."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How well votes agree with the labels of the sample.

    Attributes:
        found: Cases labeled unsafe that were found unsafe, and how many there are.
        passed: Cases labeled safe that were found safe, and how many there are.
    """

    found: tuple[int, int] = (0, 0)
    passed: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, cases: Iterable[tuple[Finding, Finding | None]]) -> "Rates":
        """Count cases by their label and by what was found of them."""
        counts = {label: [0, 0] for label in Finding}
        for label, finding in cases:
            counts[label][0] += finding is label
            counts[label][1] += 1
        found, passed = counts[Finding.UNSAFE], counts[Finding.SAFE]
        return cls((found[0], found[1]), (passed[0], passed[1]))

    @property
    def sensitivity(self) -> float | None:
        """Share of the unsafe cases found unsafe; None without one."""
        return self.found[0] / self.found[1] if self.found[1] else None

    @property
    def specificity(self) -> float | None:
        """Share of the safe cases found safe; None without one."""
        return self.passed[0] / self.passed[1] if self.passed[1] else None

    def corrected(self, rate: float) -> float | None:
        """Return a rate corrected for these errors, at most 1.

        None where they tell too little: sensitivity + specificity is at most 1.1, or the rate is
        below what false alarms alone would give.
        """
        passed, safe = self.passed
        errors = Errors(self.found[1], self.found[0], safe, safe - passed)
        if not errors.can_correct or rate < errors.false_alarms:
            return None
        return errors.corrected(rate)


@dataclass(frozen=True, slots=True)
class JurorCheck:
    """What became of a juror.

    Attributes:
        juror: Its name.
        cases: Cases with a ballot then and now.
        lost: Cases whose ballot was lost now, so that they tell nothing.
        changed: Cases in which the new vote differs from the old one.
        asked_again: Those of them that tell which vote is the odd one.
        confirmed: Those of these in which the third vote sides with the new one.
        p: Chance that a juror that did not change does as oddly, two-sided.
        moved: Whether that is too small to be chance, over all jurors.
        before: How well it agreed with the labels of these cases.
        now: How well it does.
    """

    juror: str
    cases: int
    lost: int
    changed: int
    asked_again: int
    confirmed: int
    p: float
    moved: bool
    before: Rates
    now: Rates

    @property
    def is_steadier(self) -> bool:
        """Whether its changes are for good, rather than back and forth."""
        return 2 * self.confirmed >= self.asked_again


def compare(
    jurors: Sequence[str],
    labels: Mapping[str, Finding],
    old: Mapping[Key, Said],
    new: Mapping[Key, Said],
    again: Mapping[Key, Said],
    *,
    alpha: float,
) -> tuple[JurorCheck, ...]:
    """Test each juror.

    Args:
        jurors: Their names.
        labels: By case, its label.
        old: The votes that the card was made of.
        new: Those of now.
        again: Those of now where the two differ, asked once more.
        alpha: Chance that any juror is said to have moved while none did, in (0, 1).
    """
    told = [_told(juror, labels, old, new, again) for juror in jurors]
    tested = [mcnemar(one.asked_again - one.confirmed, one.confirmed) for one in told]
    p_values = [each.p for each in tested]
    moved = [p <= alpha for p in holm(p_values)]
    return tuple(
        replace(one, p=p, moved=is_moved)
        for one, p, is_moved in zip(told, p_values, moved, strict=True)
    )


def _told(
    juror: str,
    labels: Mapping[str, Finding],
    old: Mapping[Key, Said],
    new: Mapping[Key, Said],
    again: Mapping[Key, Said],
) -> JurorCheck:
    keys = [(case, juror) for case in labels if (case, juror) in old and (case, juror) in new]
    asked = [key for key in keys if not old[key].is_lost]
    kept = [key for key in asked if not new[key].is_lost]
    changed = [key for key in kept if new[key].finding != old[key].finding]
    thirds = [key for key in changed if key in again and not again[key].is_lost]
    odd = [key for key in thirds if again[key].finding in (old[key].finding, new[key].finding)]
    return JurorCheck(
        juror,
        len(kept),
        len(asked) - len(kept),
        len(changed),
        len(odd),
        sum(again[key].finding == new[key].finding for key in odd),
        1.0,
        False,
        Rates.of((labels[key[0]], old[key].finding) for key in kept),
        Rates.of((labels[key[0]], new[key].finding) for key in kept),
    )
