"""A corrected rate, or why there is none."""

from dataclasses import dataclass

LEAST_LABELS = 30
"""Labels below which no rate is corrected, unless every case has one."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A corrected rate, or a corrected mean rating.

    Attributes:
        value: None where there is none.
        interval: Its 95 % interval; None with it.
        labels: How many labels it rests on.
        cases: How many cases it is of.
        why: Why there is no value; empty where there is one.
    """

    value: float | None
    interval: tuple[float, float] | None
    labels: int
    cases: int
    why: str = ""

    @classmethod
    def none(cls, why: str, *, labels: int, cases: int) -> "Estimate":
        """Return that nothing could be estimated, and why."""
        return cls(None, None, labels, cases, why)
