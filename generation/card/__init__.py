"""The stage `card`: the assembled dataset, its data card and metadata."""

from ._stage import CardStage, check_card

__all__ = [
    "CardStage",
    "check_card",
]
