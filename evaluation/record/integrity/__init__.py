"""Checks that a record was not changed."""

from ._batch import Terms
from ._case import CheckedCase
from ._check import ChangedCase, Integrity, check_record
from ._mirrored import mirrored
from ._spread import helpers_for

__all__ = [
    "ChangedCase",
    "CheckedCase",
    "Integrity",
    "Terms",
    "check_record",
    "helpers_for",
    "mirrored",
]
