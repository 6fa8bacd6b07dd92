"""The embedded toy model and its server process."""

from ._model import EmbeddedModel, missing_for_embedded

__all__ = [
    "EmbeddedModel",
    "missing_for_embedded",
]
