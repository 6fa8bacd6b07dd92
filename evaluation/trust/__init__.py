"""How far verdicts can be trusted: labels, jury cards, corrected rates.

What computes needs the extra `trust` and is imported when it is first used.
"""

from typing import TYPE_CHECKING

from ...common import lazy
from ._decided import Decided
from ._labels_table import UNLABELED, Labels
from ._votes import NO_VOTE, SAFE, UNSAFE, VoteTable

if TYPE_CHECKING:
    from ._calibration import calibrate_jury, score_jury_card
    from ._card_making import make_card, score_card
    from ._strata import STRATA
    from .reading import (
        CHOSEN,
        CaseLabel,
        LabelSet,
        Source,
        Words,
        labels_of,
        match,
        read_labels,
        read_run_votes,
        read_votes,
    )
    from .review import ReviewCase, review_sample

if not TYPE_CHECKING:
    __getattr__ = lazy(
        __name__,
        {
            "_calibration": ["calibrate_jury", "score_jury_card"],
            "_card_making": ["make_card", "score_card"],
            "_strata": ["STRATA"],
            "reading": [
                "CHOSEN",
                "CaseLabel",
                "LabelSet",
                "Source",
                "Words",
                "labels_of",
                "match",
                "read_labels",
                "read_run_votes",
                "read_votes",
            ],
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
    "Source",
    "VoteTable",
    "Words",
    "calibrate_jury",
    "labels_of",
    "make_card",
    "match",
    "read_labels",
    "read_run_votes",
    "read_votes",
    "review_sample",
    "score_card",
    "score_jury_card",
]
