"""What a report is broken down by: `--by labels.type`."""

from typing import Literal

from ...common import ConfigurationError
from ...common.text import did_you_mean, quoted
from ..trials import CaseResult

LABEL = "labels."
"""Begins the name of a label, as in `labels.type`."""
_SHOWN = 20

Kind = Literal["scenario", "category", "label"]


class Grouping:
    """What to break targets down by, and by a label the row of each case.

    Args:
        by: `scenario`, `category` or `labels.NAME`.

    Attributes:
        by: The same.
        kind: Which of them it is.

    Raises:
        ConfigurationError: It is none of them.
    """

    def __init__(self, by: str) -> None:
        self.by = by
        self.kind: Kind = _kind(by)
        self._name = by.removeprefix(LABEL)
        self._labels: dict[str, None] = {}

    def of(self, result: CaseResult) -> str | None:
        """Return the label's value of a case, None where it lacks the label."""
        self._labels.update(dict.fromkeys(result.labels))
        return result.labels.get(self._name)

    def check(self) -> None:
        """Refuse a label that not one of the cases seen has.

        Raises:
            ConfigurationError: It is such a label; those that there are are named.
        """
        if self.kind != "label" or self._name in self._labels:
            return
        names = sorted(self._labels)
        known = f"; its labels are {_listed(names)}" if names else ": its cases have no labels"
        raise ConfigurationError(
            f"--by {quoted(self.by)}: no case of the run has that label"
            f"{did_you_mean(self._name, names)}{known}"
        )


def _kind(by: str) -> Kind:
    if by == "scenario" or by == "category":
        return by
    if by.startswith(LABEL) and by != LABEL:
        return "label"
    raise ConfigurationError(
        f"--by {quoted(by)}: write scenario, category or {LABEL}NAME, such as {LABEL}type"
    )


def _listed(names: list[str]) -> str:
    more = ", …" if len(names) > _SHOWN else ""
    return ", ".join(f"{LABEL}{name}" for name in names[:_SHOWN]) + more
