"""Decides whether a run satisfies a policy, and writes that for people and pipelines."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._check import Check, Doubt, Outcome
    from ._expression import Expression, parse
    from ._gate import GateResult, failed_gate, gate
    from ._metrics import METRICS
    from ._parts import PartOf
    from ._policy import read_policy
    from ._rules import Policy, Rule, refuse_repeats, typed_rules
    from .formats import (
        GateFiles,
        gate_json,
        gate_junit,
        gate_markdown,
        gate_sarif,
        write_gate,
    )

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_check": ["Check", "Doubt", "Outcome"],
            "_expression": ["Expression", "parse"],
            "_gate": ["GateResult", "failed_gate", "gate"],
            "_metrics": ["METRICS"],
            "_parts": ["PartOf"],
            "_policy": ["read_policy"],
            "_rules": ["Policy", "Rule", "refuse_repeats", "typed_rules"],
            "formats": [
                "GateFiles",
                "gate_json",
                "gate_junit",
                "gate_markdown",
                "gate_sarif",
                "write_gate",
            ],
        },
    )

__all__ = [
    "METRICS",
    "Check",
    "Doubt",
    "Expression",
    "GateFiles",
    "GateResult",
    "Outcome",
    "PartOf",
    "Policy",
    "Rule",
    "failed_gate",
    "gate",
    "gate_json",
    "gate_junit",
    "gate_markdown",
    "gate_sarif",
    "parse",
    "read_policy",
    "refuse_repeats",
    "typed_rules",
    "write_gate",
]
