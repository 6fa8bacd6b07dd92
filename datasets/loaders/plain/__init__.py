"""Loaders for plain tables with a column mapping."""

from ._table import SETTINGS, PlainRows

__all__ = ["SETTINGS", "PlainRows"]
