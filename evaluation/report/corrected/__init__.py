"""Corrects the rates of a run by labels, and says so in reports."""

from ._correction import Correction
from ._words import (
    HEADER,
    corrected_cells,
    corrected_columns,
    corrected_fields,
    corrected_said,
    is_corrected,
)

__all__ = [
    "HEADER",
    "Correction",
    "corrected_cells",
    "corrected_columns",
    "corrected_fields",
    "corrected_said",
    "is_corrected",
]
