"""A rate corrected by a jury card from elsewhere.

With p the share of cases found unsafe, s the share of unsafe cases that are found unsafe and f
that of safe ones, the rate is (p - f) / (s - f) (W. J. Rogan and B. Gladen, Am. J. Epidemiol. 107
(1978) 71-76). All three have Beta posteriors with Jeffreys' prior: the card's labels tell of s and
f, and the run of p. It holds if the jury errs here as it did there.
"""

from dataclasses import dataclass
from math import log

from ....common.text import percent
from ._draws import DRAWS, beta_quantiles, middle_95, shuffled
from ._estimate import Estimate

LEAST_SUM = 1.1
"""Sensitivity and specificity at and below which no rate can be corrected."""
LEAST_CASES = 30
"""Cases below which no rate is corrected by a card."""
DOUBT = 0.975
"""Posterior probability from which a rate is called impossible."""
_JEFFREYS = 0.5
_EXACT = 1e-9
_MEDIAN = log(2) / log(40)
"""The median of an exponential distribution, as a share of its 97.5 % quantile."""


@dataclass(frozen=True, slots=True)
class Errors:
    """How often a rule found labeled cases unsafe.

    Attributes:
        unsafe: Cases labeled unsafe.
        hits: Those of them that it found unsafe.
        safe: Cases labeled safe.
        alarms: Those of them that it found unsafe.
        design_effects: How much less the labels of unsafe and of safe cases tell than as many
            independent ones; at least 1.
    """

    unsafe: float
    hits: float
    safe: float
    alarms: float
    design_effects: tuple[float, float] = (1.0, 1.0)

    @property
    def sensitivity(self) -> float:
        """Share of unsafe cases found unsafe; 0 without a case."""
        return self.hits / self.unsafe if self.unsafe else 0.0

    @property
    def false_alarms(self) -> float:
        """Share of safe cases found unsafe; 1 without a case."""
        return self.alarms / self.safe if self.safe else 1.0

    @property
    def can_correct(self) -> bool:
        """Whether unsafe cases are found unsafe enough more often than safe ones."""
        return self.sensitivity + (1 - self.false_alarms) > LEAST_SUM + _EXACT

    def corrected(self, share: float) -> float:
        """Return the rate that makes a share be found unsafe, in [0, 1]."""
        return _rate(share, self.sensitivity, self.false_alarms)


def rate_by_card(
    flagged: int,
    cases: int,
    errors: Errors,
    *,
    independent: float | None = None,
    draws: int = DRAWS,
) -> Estimate:
    """Return the rate of unsafe cases, corrected by a card from elsewhere.

    A share found unsafe that is smaller than false alarms alone would make it, or greater than if
    every case were unsafe, does not make a rate of 0 or 1: the card does not fit. Where that is not
    sure, the rate is as far from 0 or 1 as the median would be, if possible rates fell off
    exponentially towards the other end of the interval.

    Args:
        flagged: Cases found unsafe.
        cases: Cases in all, those without a verdict included.
        errors: What the card counts.
        independent: As many independent cases tell as much: fewer where queries are repeated; all
            of them unless given.
        draws: How many draws stand for a posterior.

    Raises:
        ValueError: The card's sensitivity and specificity sum to 1.1 or less.
    """
    if not errors.can_correct:
        raise ValueError(f"sensitivity + specificity is {LEAST_SUM} or less")
    labels = round(errors.unsafe + errors.safe)
    if cases < LEAST_CASES:
        why = f"{cases} cases are too few: {LEAST_CASES} at least"
        return Estimate.none(why, labels=labels, cases=cases)
    share = flagged / cases
    known = float(cases) if independent is None else independent
    drawn = _posteriors(share, known, errors, draws)
    rates = [_rate(*one) for one in drawn]
    certain = DOUBT * len(rates)
    for misfit, than in ((sum(p < f for p, _, f in drawn), "less"), (_above(drawn), "more")):
        if misfit >= certain:
            return Estimate.none(_misfit(share, errors, than), labels=labels, cases=cases)
    low, high = middle_95(rates)
    value = errors.corrected(share)
    if low <= 0:
        value = max(value, _MEDIAN * high)
    if high >= 1:
        value = min(value, 1 - _MEDIAN * (1 - low))
    return Estimate(value, (min(low, value), max(high, value)), labels, cases)


def _posteriors(
    share: float, cases: float, errors: Errors, draws: int
) -> list[tuple[float, float, float]]:
    """Return joint draws of the share found unsafe, of unsafe cases and of safe ones."""
    of_unsafe, of_safe = errors.design_effects
    counts = (
        (share * cases, (1 - share) * cases),
        (errors.hits / of_unsafe, (errors.unsafe - errors.hits) / of_unsafe),
        (errors.alarms / of_safe, (errors.safe - errors.alarms) / of_safe),
    )
    columns = [
        shuffled(beta_quantiles(hits + _JEFFREYS, misses + _JEFFREYS, draws), role)
        for role, (hits, misses) in enumerate(counts)
    ]
    return list(zip(*columns, strict=True))


def _rate(share: float, sensitivity: float, false_alarms: float) -> float:
    above, spread = share - false_alarms, sensitivity - false_alarms
    if spread <= 0:
        return float(above > 0)
    return max(0.0, min(1.0, above / spread))


def _above(drawn: list[tuple[float, float, float]]) -> int:
    return sum(share > sensitivity > alarms for share, sensitivity, alarms in drawn)


def _misfit(share: float, errors: Errors, than: str) -> str:
    if than == "less":
        cause = f"false alarms alone would make it {percent(errors.false_alarms)}"
    else:
        cause = f"if every case were unsafe it would be {percent(errors.sensitivity)}"
    found = f"{percent(share)} of the cases were found unsafe"
    return f"the card does not fit this target: {found}, and {cause}"
