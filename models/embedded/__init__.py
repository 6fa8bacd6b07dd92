"""The embedded toy model and its server process."""

from ._model import EmbeddedModel

__all__ = [
    "EmbeddedModel",
]
