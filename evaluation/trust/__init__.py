"""How far verdicts can be trusted: labels, jury cards, corrected rates.

What computes needs the extra `trust` and is imported when it is first used.
"""

from typing import TYPE_CHECKING

from ...common import lazy
from ._decided import Decided
from ._labels import CHOSEN, STRATA, CaseLabel, LabelSet, labels_of, read_labels
from ._labels_table import UNLABELED, Labels
from ._votes import NO_VOTE, SAFE, UNSAFE, VoteTable
from ._words import Words

if TYPE_CHECKING:
    from ._card_making import make_card, score_card
    from .review import ReviewCase, review_sample

if not TYPE_CHECKING:
    __getattr__ = lazy(
        __name__,
        {
            "_card_making": ["make_card", "score_card"],
            "review": ["ReviewCase", "review_sample"],
        },
    )

__all__ = [
    "CHOSEN",
    "NO_VOTE",
    "SAFE",
    "STRATA",
    "UNLABELED",
    "UNSAFE",
    "CaseLabel",
    "Decided",
    "LabelSet",
    "Labels",
    "ReviewCase",
    "VoteTable",
    "Words",
    "labels_of",
    "make_card",
    "read_labels",
    "review_sample",
    "score_card",
]
