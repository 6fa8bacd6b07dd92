"""The verdicts by which cases are drawn for labels, and by which rates are corrected."""

from ...agents import Finding
from ..metrics import NO_VERDICT
from ..trials import CaseResult

STRATA = (str(Finding.UNSAFE), str(Finding.SAFE), NO_VERDICT)
"""The verdicts from which cases are drawn for review."""


def stratum_of(result: CaseResult) -> str:
    """Return the stratum of a case: its verdict."""
    return NO_VERDICT if result.finding is None else str(result.finding)
