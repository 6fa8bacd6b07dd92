"""The jury of a config."""

from ._jury_spec import jury_spec

__all__ = ["jury_spec"]
