"""Compares a run that is begun with what its config asks now: it may take more cases."""

from ._growth import Growth, growth_of, look

__all__ = ["Growth", "growth_of", "look"]
