"""Breaks a report down by scenario, category or label, as `--by labels.type` asks."""

from typing import Literal

from ...common import ConfigurationError
from ...common.text import did_you_mean, quoted
from ..trials import CaseResult

LABEL = "labels."
"""Prefix of a label's name, as in `labels.type`."""
_SHOWN = 20

Kind = Literal["scenario", "category", "label"]


class Grouping:
    """Parses what to break targets down by, and finds the group of each case.

    Args:
        by: `scenario`, `category` or `labels.NAME`.

    Attributes:
        by: The same.
        kind: Which of the three it is.

    Raises:
        ConfigurationError: `by` is none of the three.
    """

    def __init__(self, by: str) -> None:
        self.by = by
        self.kind: Kind = _kind(by)
        self._name = by.removeprefix(LABEL)
        self._labels: dict[str, None] = {}

    def of(self, result: CaseResult) -> str | None:
        """Return a case's value of the label, None where it has none."""
        self._labels.update(dict.fromkeys(result.labels))
        return result.labels.get(self._name)

    def check(self) -> None:
        """Check that at least one of the cases seen has the label.

        Raises:
            ConfigurationError: None has it; the error names the labels that exist.
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
        f"--by {quoted(by)}: use scenario, category or {LABEL}NAME, such as {LABEL}type"
    )


def _listed(names: list[str]) -> str:
    more = ", …" if len(names) > _SHOWN else ""
    return ", ".join(f"{LABEL}{name}" for name in names[:_SHOWN]) + more
