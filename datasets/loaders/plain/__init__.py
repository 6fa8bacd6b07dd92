"""Loaders of plain tables, by a mapping of columns."""
