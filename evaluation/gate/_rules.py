"""A policy as plain data: its rules, and what else must hold for a run to pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...common import ConfigurationError
from ...common.text import quoted
from ..metrics import DEFAULT_THRESHOLDS, Thresholds
from ._expression import Expression, parse

On = Literal["interval", "estimate"]
CannotTell = Literal["fail", "pass"]
Missing = Literal["worst", "leave_out"]
MIN_N = 10
"""Least queries of a rule on an interval, which says itself how little few of them tell."""
MIN_N_ESTIMATE = 30
"""Least queries of a rule on an estimate, which says nothing of how sure it is."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy.

    Attributes:
        says: When it fails.
        name: What reports call it; what it says unless it has a name.
        on: Whether the unfavorable end of the interval is bounded, or the estimate alone.
        min_n: Least different queries that it may rest on.
        cannot_tell: Whether it passes where too few cases were judged to say.
        missing: Whether cases without a verdict count as the worst, or are left out.
        line: Where it stands in the policy's file, None on a command line.
    """

    says: Expression
    name: str
    on: On = "interval"
    min_n: int = MIN_N
    cannot_tell: CannotTell = "fail"
    missing: Missing = "worst"
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What a run must satisfy.

    Attributes:
        rules: At least one, no two of which say the same.
        source: Its file, None where it was given on the command line or by a program.
        baseline: The run that differences are taken to.
        force: Whether the baseline may be of another jury or other data.
        thresholds: Least coverage and panel, below which the run is not fit to be decided by.
        labels: Labels of the run's cases that correct its rates.
        card: A jury card that corrects them instead.
        card_checked_within: Days within which the card must have been checked, None for any.
    """

    rules: tuple[Rule, ...]
    source: Path | None = None
    baseline: Path | None = None
    force: bool = False
    thresholds: Thresholds = DEFAULT_THRESHOLDS
    labels: Path | None = None
    card: Path | None = None
    card_checked_within: float | None = None

    @property
    def compares(self) -> bool:
        """Whether a rule needs the baseline."""
        return any(rule.says.is_delta for rule in self.rules)


def typed_rules(said: Sequence[str], option: str = "--fail-if") -> tuple[Rule, ...]:
    """Return the rules of a command line.

    Raises:
        ConfigurationError: One cannot be read.
    """
    rules = list[Rule]()
    for text in said:
        try:
            rules.append(checked(Rule(says := parse(text), says.text)))
        except ValueError as error:
            raise ConfigurationError(f"{option} {quoted(text)}: {error}") from None
    return tuple(rules)


def checked(rule: Rule) -> Rule:
    """Return a rule that can pass.

    Raises:
        ValueError: It never can.
    """
    says = rule.says
    rate = says.metric.kind == "share" and says.metric.has_interval and not says.is_delta
    if rate and rule.on == "interval" and says.bound == 0:
        raise ValueError(
            f"{quoted(says.text)} can never pass: the upper end of an interval is never 0: bound "
            "it above 0, or write `on: estimate` in a policy"
        )
    return rule


def refuse_repeats(rules: Sequence[Rule]) -> None:
    """Refuse two rules that say the same: one of them was meant to say something else.

    Raises:
        ConfigurationError: Two do; or there is no rule at all.
    """
    if not rules:
        raise ConfigurationError(
            "the policy is empty, so every run would pass: give --policy FILE or --fail-if RULE"
        )
    seen = dict[tuple[object, ...], Rule]()
    for rule in rules:
        first = seen.setdefault(rule.says.key, rule)
        if first is not rule:
            raise ConfigurationError(
                f"the rules {quoted(first.name)} and {quoted(rule.name)} say the same: take one "
                "out, or bound something else by it"
            )
