"""Loaders for plain tables with a column mapping."""
