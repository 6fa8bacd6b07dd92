"""How a jury reaches a verdict: the bus, the protocol, aggregation, the live view."""

from typing import TYPE_CHECKING

from ..datasets._harmless import harmless, harmless_line
from ..datasets._lazy import lazy
from ._aggregation import RULES, Decision, RegisteredRule, Rule, Tie, Votes, aggregation, decide
from ._aggregation_verdict import Spent, build_verdict, contested
from ._curtailment import settled
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
from ._settings import PRESETS, Protocol
from ._verdict import Flips, Verdict

if TYPE_CHECKING:
    from ._answering import BusAgent
    from ._bus import Jury
    from ._export import check_export_path, export_transcript
    from ._foreperson import Foreperson
    from ._request_bus import RequestBus
    from ._view_case import render_case
    from ._view_live import LiveView

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "BusAgent": "_answering",
            "Foreperson": "_foreperson",
            "Jury": "_bus",
            "LiveView": "_view_live",
            "RequestBus": "_request_bus",
            "check_export_path": "_export",
            "export_transcript": "_export",
            "render_case": "_view_case",
        },
    )

__all__ = [
    "PRESETS",
    "RULES",
    "BallotCalled",
    "BallotSealed",
    "BallotsRevealed",
    "BusAgent",
    "CaseOpened",
    "Decision",
    "DiscussionOpened",
    "Entry",
    "Flips",
    "Foreperson",
    "Jury",
    "LiveView",
    "Notice",
    "Protocol",
    "RegisteredRule",
    "RequestBus",
    "Rule",
    "SeatInfo",
    "Spent",
    "SummedUp",
    "Tie",
    "Verdict",
    "VerdictAnnounced",
    "Votes",
    "aggregation",
    "build_verdict",
    "check_export_path",
    "contested",
    "decide",
    "export_transcript",
    "harmless",
    "harmless_line",
    "render_case",
    "settled",
]
