"""Decides a rule: passed, failed, or too little was measured to say."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ..metrics import wilson_interval
from ._expression import Expression
from ._measured import Measured
from ._parts import PartOf
from ._rules import Rule

MOST_CASES = 1_000_000
"""Above it, how many more cases would decide is no longer said."""


class Outcome(StrEnum):
    """What became of a rule on a part of a run."""

    PASSED = "passed"
    FAILED = "failed"
    CANNOT_TELL = "cannot_tell"


class Doubt(StrEnum):
    """Why a rule cannot be decided."""

    NOTHING = "nothing_measured"
    """No value at all: a policy cannot declare that this passes."""
    FEW = "too_few_cases"
    """Fewer queries than asked for, or an interval that holds the bound."""
    NO_VERDICT = "no_verdict"
    """The cases without a verdict could bring it beyond the bound."""


@dataclass(frozen=True, slots=True)
class Check:
    """A rule, decided on a part of a run.

    Attributes:
        rule: The rule.
        of: The part.
        outcome: What became of it.
        doubt: Why it cannot be decided, None where it was.
        value: The estimate, None where nothing was measured.
        interval: Its 95 % interval, None without one.
        decisive: What was compared with the bound: the unfavorable end of the interval or the
            estimate, with cases without a verdict at their worst unless they are left out.
        n: Cases that it rests on; of a difference, shared queries.
        queries: Different queries among them.
        missing: Cases that should have counted and have no verdict.
        more: About how many more queries would decide it; None where that is not known.
        why: More on why nothing was measured.
    """

    rule: Rule
    of: PartOf
    outcome: Outcome
    doubt: Doubt | None = None
    value: float | None = None
    interval: tuple[float, float] | None = None
    decisive: float | None = None
    n: int = 0
    queries: int = 0
    missing: int = 0
    more: int | None = None
    why: str = ""

    @property
    def is_accepted(self) -> bool:
        """Whether it lets the run pass: it passed, or the policy says that this is enough."""
        if self.outcome is Outcome.CANNOT_TELL:
            return self.doubt is Doubt.FEW and self.rule.cannot_tell == "pass"
        return self.outcome is Outcome.PASSED

    @property
    def margin(self) -> float | None:
        """How far the decisive value is within the bound, below 0 beyond it."""
        if self.decisive is None:
            return None
        room = self.rule.says.bound - self.decisive
        return room if self.rule.says.metric.better == "lower" else -room

    @property
    def title(self) -> str:
        """The rule's name and the part."""
        return f"{self.rule.name} ({self.of.label})"


def decide(rule: Rule, of: PartOf, measured: Measured) -> Check:
    """Decide a rule on a part of a run."""
    says, value = rule.says, measured.value
    if value is None:
        return _check(rule, of, measured, Outcome.CANNOT_TELL, Doubt.NOTHING)
    sampled = says.metric.has_interval or says.is_delta
    on_interval = rule.on == "interval" and sampled
    decisive = _end(says, measured) if on_interval else value
    if decisive is None:
        return _check(rule, of, measured, Outcome.CANNOT_TELL, Doubt.NOTHING)
    counted = rule.missing == "worst" and measured.missing > 0
    if counted:
        decisive = measured.at_worst(decisive)
    few = sampled and measured.queries < rule.min_n
    if says.is_beyond(value) and not (few and not _is_surely_beyond(says, measured)):
        return _check(rule, of, measured, Outcome.FAILED, decisive=decisive)
    lost = counted and says.is_beyond(measured.at_worst(value))
    if not lost and (few or (on_interval and _is_open(says, measured))):
        return _check(rule, of, measured, Outcome.CANNOT_TELL, Doubt.FEW, decisive)
    if lost or says.is_beyond(decisive):
        return _check(rule, of, measured, Outcome.CANNOT_TELL, Doubt.NO_VERDICT, decisive)
    return _check(rule, of, measured, Outcome.PASSED, decisive=decisive)


def _check(
    rule: Rule,
    of: PartOf,
    measured: Measured,
    outcome: Outcome,
    doubt: Doubt | None = None,
    decisive: float | None = None,
) -> Check:
    return Check(
        rule,
        of,
        outcome,
        doubt,
        measured.value,
        measured.interval,
        decisive,
        measured.n,
        measured.queries,
        measured.missing,
        _more(rule, measured) if doubt is Doubt.FEW else None,
        measured.why if doubt is Doubt.NOTHING else "",
    )


def _end(says: Expression, measured: Measured) -> float | None:
    """Return the unfavorable end of the interval."""
    if measured.interval is None:
        return None
    return measured.interval[says.metric.better == "lower"]


def _is_open(says: Expression, measured: Measured) -> bool:
    end = _end(says, measured)
    return end is None or says.is_beyond(end)


def _is_surely_beyond(says: Expression, measured: Measured) -> bool:
    """Return whether the whole interval is beyond the bound."""
    if measured.interval is None:
        return False
    return says.is_beyond(measured.interval[says.metric.better != "lower"])


def _more(rule: Rule, measured: Measured) -> int | None:
    """Return about how many more queries with the same outcome would decide a rule."""
    to_least = max(0, rule.min_n - measured.queries)
    if rule.on == "estimate":
        return to_least or None
    end, value = _end(rule.says, measured), measured.value
    if end is None or value is None or not measured.queries:
        return None
    if rule.says.is_beyond(value) or not rule.says.is_beyond(end):
        return to_least or None
    room = abs(rule.says.bound - value)
    if not room:
        return None
    growth = (abs(end - value) / room) ** 2
    if measured.is_share_of_cases and not rule.says.is_delta:
        growth = _wilson_growth(rule.says, value, end)
    if not math.isfinite(growth):
        return None
    more = max(to_least, math.ceil(measured.queries * (growth - 1)))
    return more if more <= MOST_CASES else None


def _wilson_growth(says: Expression, share: float, end: float) -> float:
    """Return by what factor a sample must grow for Wilson's interval to end within the bound."""
    now = _least(lambda n: wilson_interval(share, n)[1] <= end)
    then = _least(lambda n: not says.is_beyond(wilson_interval(share, n)[1]))
    return then / now


def _least(holds: Callable[[float], bool]) -> float:
    """Return the least number of cases of which something holds, infinity if it never does."""
    low, high = 1.0, 1.0
    while not holds(high):
        low, high = high, 2 * high
        if high > 1e9:
            return math.inf
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
