"""Reads what a rule says, such as `asr[category=privacy] > 5%`: a small grammar, nothing is run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ...common.text import did_you_mean, quoted
from ._metrics import METRICS, Metric

Operator = Literal[">", ">=", "<", "<="]
EACH = "*"
"""As a name in a scope: each one for itself."""
_SCOPE_KEYS = ("target", "condition", "category", "scenario")
_SHAPE = re.compile(
    r"(?P<delta>delta\s*\(\s*)?(?P<metric>[^\s\[\]()<>=]+)\s*(?:\[(?P<scope>.*)\])?\s*"
    r"(?(delta)\)\s*)(?P<operator>[<>]=?|[=!]+|=[<>])\s*(?P<bound>.+)",
    re.DOTALL,
)
_PART = re.compile(
    r"""\s*(?:(?P<key>\w+)\s*=\s*)?(?:"(?P<quoted>[^"]*)"|(?P<bare>[^,"=\[\]]+))\s*(?:,|$)"""
)
_NUMBER = re.compile(
    r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d{1,3})?)\s*(?P<percent>%?)", re.IGNORECASE
)
_LAST_DIGITS = 1e-12
_LONGEST = 1000
"""Characters of a rule: a pattern must not take forever."""
_EXAMPLE = "write it as `asr > 5%`, `asr[category=cybersecurity] >= 0.1` or `delta(asr) > 2%`"


@dataclass(frozen=True, slots=True)
class Expression:
    """What a rule says: it fails where this is so.

    Attributes:
        metric: What is bounded.
        is_delta: Whether the bound is on the difference to a baseline, not on the value.
        scope: Names by `target`, `condition`, `category` or `scenario`; `part` is either of
            the last two. `*` stands for each.
        operator: `>` or `>=` where lower is better, else `<` or `<=`.
        bound: In the metric's own unit, a share in [0, 1].
        text: As it was written, on one line.
    """

    metric: Metric
    is_delta: bool
    scope: Mapping[str, str]
    operator: Operator
    bound: float
    text: str

    def is_beyond(self, value: float) -> bool:
        """Return whether a value is on the failing side of the bound.

        A value that is the bound but for the last digits of its sums is the bound.
        """
        match self.operator:
            case ">":
                return value > self.bound
            case ">=":
                return value >= self.bound - _LAST_DIGITS
            case "<":
                return value < self.bound
            case "<=":
                return value <= self.bound + _LAST_DIGITS

    @property
    def key(self) -> tuple[object, ...]:
        """What two rules have in common that say the same."""
        scope = tuple(sorted(self.scope.items()))
        return self.metric.name, self.is_delta, scope, self.operator, self.bound


def parse(text: str) -> Expression:
    """Read what a rule says.

    Args:
        text: Such as `asr > 0.05`, `asr[privacy] >= 5%`, `asr[target=x, category=y] > 0.1` or
            `delta(sri) < -2`.

    Raises:
        ValueError: It cannot be read, names no metric, or has a bound that makes no sense; the
            message is a line for whoever wrote it.
    """
    said = " ".join(text.split())
    found = _SHAPE.fullmatch(said) if len(said) <= _LONGEST else None
    if found is None:
        raise ValueError(f"{quoted(said)} is no rule: {_EXAMPLE}")
    metric = METRICS.get(found["metric"])
    if metric is None:
        name = found["metric"]
        known = did_you_mean(name, METRICS) or f"; known are {', '.join(METRICS)}"
        raise ValueError(f"unknown metric {quoted(name)}{known}")
    is_delta = found["delta"] is not None
    scope = {} if found["scope"] is None else _scope(found["scope"], metric)
    operator = _operator(found["operator"], metric, said)
    bound = _bound(found["bound"], metric, is_delta=is_delta)
    expression = Expression(metric, is_delta, scope, operator, bound, said)
    _check(expression)
    return expression


def _scope(text: str, metric: Metric) -> dict[str, str]:
    scope = dict[str, str]()
    place = 0
    while place < len(text) or not scope:
        part = _PART.match(text, place)
        if part is None:
            raise ValueError(
                f"[{text}] is no scope: write names as [cybersecurity] or [target=mine, "
                "category=cybersecurity], in double quotes where they have other characters"
            )
        key, name = part["key"] or "part", (part["quoted"] or part["bare"] or "").strip()
        if key != "part" and key not in _SCOPE_KEYS:
            raise ValueError(
                f"unknown key {quoted(key)} in [{text}]{did_you_mean(key, _SCOPE_KEYS)}; known are "
                f"{', '.join(_SCOPE_KEYS)}"
            )
        if not name:
            raise ValueError(f"[{text}] names nothing: leave [] out to bound the whole")
        if key in scope:
            raise ValueError(f"[{text}] says {key if key != 'part' else 'a category'} twice")
        scope[key] = name
        place = part.end()
    parts = [key for key in ("part", "category", "scenario") if key in scope]
    if len(parts) > 1:
        raise ValueError(f"[{text}] names several parts of a set: write a rule for each")
    if parts and not metric.of_parts:
        raise ValueError(
            f"{metric.name} is measured for a whole target only: take the category or scenario out"
        )
    return scope


def _operator(operator: str, metric: Metric, said: str) -> Operator:
    wanted = ">" if metric.better == "lower" else "<"
    if operator not in (">", ">=", "<", "<="):
        raise ValueError(f"{quoted(operator)} compares nothing: use {wanted} or {wanted}=")
    if not operator.startswith(wanted):
        raise ValueError(
            f"{quoted(said)} would fail a target for being good, and pass a bad one: a rule says "
            f"when to fail, and {metric.better} {metric.name} is better: use {wanted} or {wanted}="
        )
    return operator  # pyright: ignore[reportReturnType] - one of the four


def _bound(text: str, metric: Metric, *, is_delta: bool) -> float:
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"the bound {quoted(text)} is no number: write it as 0.05 or 5%")
    number = Decimal(found["number"])
    if found["percent"]:
        if metric.kind != "share":
            raise ValueError(f"{metric.name} is no share: write its bound without %")
        number /= 100
    value = float(number)
    low, high = metric.limits
    if is_delta:
        low, high = low - high, high - low
    if not low <= value <= high:
        unit = (
            "a share: write 5% or 0.05" if metric.kind == "share" else f"from {low:g} to {high:g}"
        )
        raise ValueError(
            f"the bound {found[0]} is not in [{low:g}, {high:g}]: {metric.name} is {unit}"
        )
    return value


def _check(said: Expression) -> None:
    """Refuse a bound that no value is beyond, and differences of what is not compared."""
    if said.is_delta and not said.metric.of_pairs:
        known = ", ".join(name for name, metric in METRICS.items() if metric.of_pairs)
        raise ValueError(f"{said.metric.name} is not compared with a baseline; these are: {known}")
    low, high = said.metric.limits
    if said.is_delta:
        low, high = low - high, high - low
    if not said.is_beyond(high if said.metric.better == "lower" else low):
        raise ValueError(
            f"{quoted(said.text)} can never fail: no {said.metric.name} is beyond that"
        )
