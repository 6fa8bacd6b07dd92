"""The stage `card`: the set assembled, and what is to be known of it."""

from ._stage import CardStage, check_card

__all__ = ["CardStage", "check_card"]
