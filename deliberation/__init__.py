"""How a jury reaches a verdict: the bus, the protocol, aggregation, the live view."""

from ._events import (
    BallotCalled,
    BallotSealed,
    BallotsRevealed,
    CaseOpened,
    DiscussionOpened,
    Entry,
    Notice,
    SeatInfo,
    SummedUp,
    VerdictAnnounced,
)
from ._verdict import Flips, Verdict

__all__ = [
    "BallotCalled",
    "BallotSealed",
    "BallotsRevealed",
    "CaseOpened",
    "DiscussionOpened",
    "Entry",
    "Flips",
    "Notice",
    "SeatInfo",
    "SummedUp",
    "Verdict",
    "VerdictAnnounced",
]
