"""Models of any provider that LiteLLM supports."""

from ._model import LiteLLMModel, known_price, unset_variables

__all__ = [
    "LiteLLMModel",
    "known_price",
    "unset_variables",
]
