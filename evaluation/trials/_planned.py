"""Counts the planned cases of a run by target, condition, scenario and intent."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from ...datasets import Intent
from ._trial import Trial


class PlannedCases(NamedTuple):
    """Number of planned cases of one kind.

    Attributes:
        target: The target's name.
        condition: Name of the condition, empty for none.
        scenario: Canonical scenario id; None where only the target's sum is known.
        intent: Harmful or benign; None where only the target's sum is known.
        cases: Number of cases, epochs included.
    """

    target: str
    condition: str
    scenario: str | None
    intent: Intent | None
    cases: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The planned cases of a run.

    Attributes:
        total: Number of cases.
        parts: Cases by kind; empty where that is not known.
    """

    total: int
    parts: tuple[PlannedCases, ...] = ()

    @classmethod
    def of(cls, parts: Iterable[PlannedCases]) -> "Plan":
        """Build a plan from its parts."""
        kept = tuple(parts)
        return cls(sum(part.cases for part in kept), kept)

    @classmethod
    def stored(cls, meta: Mapping[str, str]) -> "Plan":
        """Read the plan from the facts of a record.

        Earlier versions stored only the total. It is divided among the targets if all of
        them have the same cases: those of a dataset without conditions.
        """
        if (parts := meta.get("planned")) is not None:
            return cls.of(msgspec.json.decode(parts, type=tuple[PlannedCases, ...]))
        total = int(meta.get("total", 0))
        names = _targets_asked_alike(json.loads(meta.get("identity", "{}")))
        if not names or total % len(names):
            return cls(total)
        each = total // len(names)
        return cls.of(PlannedCases(name, "", None, None, each) for name in names)

    def as_json(self) -> str:
        """Encode the plan as JSON, which `stored` reads."""
        return msgspec.json.encode(self.parts).decode()


def count_trials(trials: Iterable[Trial]) -> Plan:
    """Count trials by kind."""
    counts: dict[tuple[str, str, str, Intent], int] = {}
    for trial in trials:
        key = (trial.target, trial.condition.name, trial.query.scenario, trial.query.intent)
        counts[key] = counts.get(key, 0) + 1
    return Plan.of(PlannedCases(*key, cases) for key, cases in counts.items())


def _targets_asked_alike(identity: Mapping[str, Any]) -> list[str]:
    """Return the targets of an earlier version's run if all have the same cases, else none."""
    names = [target["name"] for target in identity.get("targets", ())]
    plain = identity.get("images") == ["original"] and identity.get("sound") == ["given"]
    own = identity.get("dataset", {}).get("name") == "responses" and len(names) > 1
    return names if plain and not own else []
