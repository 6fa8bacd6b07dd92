"""Whom to ask in round 0, and when to stop."""

from ._asking import Asking, asking_of, drawn_order
from ._sequential import AskBySequence

__all__ = ["AskBySequence", "Asking", "asking_of", "drawn_order"]
