"""The models of a config."""

from ._spec import model_spec

__all__ = ["model_spec"]
