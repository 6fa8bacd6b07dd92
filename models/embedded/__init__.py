"""The embedded toy model and its server process."""

from ._model import EMBEDDED_WARNING, EmbeddedModel

__all__ = [
    "EMBEDDED_WARNING",
    "EmbeddedModel",
]
