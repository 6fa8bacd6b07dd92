"""AutoGen: seats, messages and the model client. With `deliberation.bus`, all that imports it."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._agent_factory import AgentFactory
    from ._agent_model import AgentClient, AgentModel
    from ._any_agent import AnyAgent
    from ._ballot_caster import BallotCaster
    from ._conversation import case_of
    from ._framework_agent import FrameworkAgent
    from ._messages import JURY_WORDS, BallotMessage, CallMessage, CaseMessage
    from ._query_agents import (
        NOTHING_TO_ADD,
        QueryGeneratorAgent,
        QueryJudgeAgent,
        proposed_in,
    )
    from ._seat import Seat, SeatAgent, gives_ballots
    from .client import AgentChatClient

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_agent_factory": ["AgentFactory"],
            "_agent_model": ["AgentClient", "AgentModel"],
            "_any_agent": ["AnyAgent"],
            "_ballot_caster": ["BallotCaster"],
            "client": ["AgentChatClient"],
            "_conversation": ["case_of"],
            "_framework_agent": ["FrameworkAgent"],
            "_messages": ["JURY_WORDS", "BallotMessage", "CallMessage", "CaseMessage"],
            "_query_agents": [
                "NOTHING_TO_ADD",
                "QueryGeneratorAgent",
                "QueryJudgeAgent",
                "proposed_in",
            ],
            "_seat": ["Seat", "SeatAgent", "gives_ballots"],
        },
    )

__all__ = [
    "JURY_WORDS",
    "NOTHING_TO_ADD",
    "AgentChatClient",
    "AgentClient",
    "AgentFactory",
    "AgentModel",
    "AnyAgent",
    "BallotCaster",
    "BallotMessage",
    "CallMessage",
    "CaseMessage",
    "FrameworkAgent",
    "QueryGeneratorAgent",
    "QueryJudgeAgent",
    "Seat",
    "SeatAgent",
    "case_of",
    "gives_ballots",
    "proposed_in",
]
