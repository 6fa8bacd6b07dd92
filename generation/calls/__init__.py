"""How models are asked for JSON of a declared shape."""

from ._address import without_secrets
from ._ask import Answer, ask
from ._models import NamedModel, StageModels
from ._seeds import seed_for
from ._words import printable_line

__all__ = [
    "Answer",
    "NamedModel",
    "StageModels",
    "ask",
    "printable_line",
    "seed_for",
    "without_secrets",
]
