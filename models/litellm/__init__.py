"""Models of any provider that LiteLLM knows."""

from ._model import LiteLLMModel, known_price, unset_variables

__all__ = [
    "LiteLLMModel",
    "known_price",
    "unset_variables",
]
