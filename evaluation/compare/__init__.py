"""Compares runs, targets and conditions over the queries that they share."""

from ._compare import compare
from ._figures import (
    HIGHER_IS_SAFER,
    METRICS,
    Changes,
    Comparison,
    Metric,
    PairedTargets,
    RateDifference,
    Side,
)
from ._sides import PLAIN, Chosen

__all__ = [
    "HIGHER_IS_SAFER",
    "METRICS",
    "PLAIN",
    "Changes",
    "Chosen",
    "Comparison",
    "Metric",
    "PairedTargets",
    "RateDifference",
    "Side",
    "compare",
]
