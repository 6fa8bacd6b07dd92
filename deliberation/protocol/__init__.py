"""The protocol: foreperson, settings, events, aggregation and verdict."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._aggregation import (
        OF_A_CARD,
        RULES,
        RegisteredRule,
        Rule,
        RuleFunction,
        Tie,
        aggregation,
        decide,
        register_rule,
    )
    from ._aggregation_verdict import (
        CallTotals,
        build_verdict,
        contested,
        deciding_round,
        each_once,
        tally,
        totals_of,
    )
    from ._curtailment import fewest_that_may_settle, fixed, settled
    from ._discussion import why_discuss
    from ._events import (
        BallotCalled,
        BallotSealed,
        BallotsRevealed,
        CaseOpened,
        DiscussionOpened,
        Entry,
        Notice,
        Published,
        RemarkCalled,
        RemarkMade,
        SeatInfo,
        SummedUp,
        TalkAudited,
        VerdictAnnounced,
    )
    from ._foreperson import Foreperson
    from ._hearing import Heard, HeardCases, Place
    from ._settings import PRESETS, Protocol
    from ._sitting import Floor
    from ._talk_audit import Donor, TalkAudit
    from ._verdict import Flips, GuardVote, Verdict
    from ._votes import Decision, Votes

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_aggregation": [
                "OF_A_CARD",
                "RULES",
                "RegisteredRule",
                "Rule",
                "RuleFunction",
                "Tie",
                "aggregation",
                "decide",
                "register_rule",
            ],
            "_aggregation_verdict": [
                "CallTotals",
                "build_verdict",
                "contested",
                "deciding_round",
                "each_once",
                "tally",
                "totals_of",
            ],
            "_curtailment": ["fewest_that_may_settle", "fixed", "settled"],
            "_discussion": ["why_discuss"],
            "_events": [
                "BallotCalled",
                "BallotSealed",
                "BallotsRevealed",
                "CaseOpened",
                "DiscussionOpened",
                "Entry",
                "Notice",
                "Published",
                "RemarkCalled",
                "RemarkMade",
                "SeatInfo",
                "SummedUp",
                "TalkAudited",
                "VerdictAnnounced",
            ],
            "_foreperson": ["Foreperson"],
            "_hearing": ["Heard", "HeardCases", "Place"],
            "_settings": ["PRESETS", "Protocol"],
            "_sitting": ["Floor"],
            "_talk_audit": ["Donor", "TalkAudit"],
            "_verdict": ["Flips", "GuardVote", "Verdict"],
            "_votes": ["Decision", "Votes"],
        },
    )

__all__ = [
    "OF_A_CARD",
    "PRESETS",
    "RULES",
    "BallotCalled",
    "BallotSealed",
    "BallotsRevealed",
    "CallTotals",
    "CaseOpened",
    "Decision",
    "DiscussionOpened",
    "Donor",
    "Entry",
    "Flips",
    "Floor",
    "Foreperson",
    "GuardVote",
    "Heard",
    "HeardCases",
    "Notice",
    "Place",
    "Protocol",
    "Published",
    "RegisteredRule",
    "RemarkCalled",
    "RemarkMade",
    "Rule",
    "RuleFunction",
    "SeatInfo",
    "SummedUp",
    "TalkAudit",
    "TalkAudited",
    "Tie",
    "Verdict",
    "VerdictAnnounced",
    "Votes",
    "aggregation",
    "build_verdict",
    "contested",
    "decide",
    "deciding_round",
    "each_once",
    "fewest_that_may_settle",
    "fixed",
    "register_rule",
    "settled",
    "tally",
    "totals_of",
    "why_discuss",
]
