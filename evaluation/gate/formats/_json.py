"""Writes what a gate decided as JSON."""

import json

from .._check import Check
from .._gate import GateResult
from .._words import explained

VERSION = 1
"""Version of the form; it grows when a key is taken out or means something else."""


def gate_json(result: GateResult) -> str:
    """Return a gate's result as JSON; keys are only added in later versions of a form.

    Characters beyond ASCII are escaped: names of folders may be no UTF-8, or control a terminal.
    """
    said: dict[str, object] = {
        "version": VERSION,
        "run": str(result.run),
        "record_sha256": result.record or None,
        "policy": result.policy.source and str(result.policy.source),
        "baseline": result.policy.baseline and str(result.policy.baseline),
        "passed": result.passed,
        "exit_code": result.exit_code,
        "error": result.error,
        "unfit": list(result.unfit),
        "notes": list(result.notes),
        "checks": [_check(check) for check in result.checks],
    }
    return f"{json.dumps(said, indent=2, allow_nan=False)}\n"


def _check(check: Check) -> dict[str, object]:
    rule, of = check.rule, check.of
    return {
        "rule": rule.says.text,
        "name": rule.name,
        "line": rule.line,
        "metric": rule.says.metric.name,
        "is_delta": rule.says.is_delta,
        "operator": rule.says.operator,
        "bound": rule.says.bound,
        "on": rule.on,
        "min_n": rule.min_n,
        "cannot_tell": rule.cannot_tell,
        "missing": rule.missing,
        "target": of.target or None,
        "condition": of.condition or None,
        "category": of.category or None,
        "scenario": of.scenario or None,
        "outcome": str(check.outcome),
        "accepted": check.is_accepted,
        "doubt": check.doubt and str(check.doubt),
        "value": check.value,
        "interval": check.interval and list(check.interval),
        "decisive": check.decisive,
        "margin": check.margin,
        "n": check.n,
        "queries": check.queries,
        "without_verdict": check.missing,
        "more_queries": check.more,
        "explanation": explained(check),
    }
