"""What talking did: who changed their mind, toward whom, and what they would have done alone."""

from ._cases import DiscussedCase, Vote, discussed_cases
from ._difference import Difference
from ._figures import ArmFigures, AuditFigures, JurorMoves, LabeledTalk, TalkFigures, TargetTalk
from ._tally import talk_figures

__all__ = [
    "ArmFigures",
    "AuditFigures",
    "Difference",
    "DiscussedCase",
    "JurorMoves",
    "LabeledTalk",
    "TalkFigures",
    "TargetTalk",
    "Vote",
    "discussed_cases",
    "talk_figures",
]
