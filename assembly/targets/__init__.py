"""The targets of a config."""

from ._target_spec import target_spec

__all__ = ["target_spec"]
