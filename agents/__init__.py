"""Who speaks: jurors, query generators and judges, their personas and prompts."""

from typing import TYPE_CHECKING

from ..common import lazy

if TYPE_CHECKING:
    from .autogen import (
        JURY_WORDS,
        NOT_GIVEN,
        AgentChatClient,
        BallotMessage,
        CallMessage,
        CaseMessage,
        Seat,
        SeatAgent,
        case_of,
    )
    from .ballot import (
        Ballot,
        BallotCall,
        BallotOutcome,
        Classification,
        Finding,
        GuardCategory,
        Perceived,
        Statement,
        statements_for,
    )
    from .case import Case, neutralize
    from .guard import Guard, GuardDialect, bundled_guards, load_guard
    from .juror import Ask, CaseCount, HumanJuror, Juror, Summary, ask_at_terminal, summarize
    from .personas import HUMAN, Persona, PersonaSampling, bundled_personas, load_persona
    from .prompts import Rubric, load_rubric, prompt_hashes
    from .query import ProposedQuery, QueryCall, QueryGenerator, QueryJudge, QueryReply, QueryScore
    from .reply import Points, ReplyFailure, ReplyFailureReason, Unreadable, ask_model, json_objects

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "autogen": [
                "JURY_WORDS",
                "NOT_GIVEN",
                "AgentChatClient",
                "BallotMessage",
                "CallMessage",
                "CaseMessage",
                "Seat",
                "SeatAgent",
                "case_of",
            ],
            "ballot": [
                "Ballot",
                "BallotCall",
                "BallotOutcome",
                "Classification",
                "Finding",
                "GuardCategory",
                "Perceived",
                "Statement",
                "statements_for",
            ],
            "case": ["Case", "neutralize"],
            "guard": ["Guard", "GuardDialect", "bundled_guards", "load_guard"],
            "juror": [
                "Ask",
                "CaseCount",
                "HumanJuror",
                "Juror",
                "Summary",
                "ask_at_terminal",
                "summarize",
            ],
            "personas": ["HUMAN", "Persona", "PersonaSampling", "bundled_personas", "load_persona"],
            "prompts": ["Rubric", "load_rubric", "prompt_hashes"],
            "query": [
                "ProposedQuery",
                "QueryCall",
                "QueryGenerator",
                "QueryJudge",
                "QueryReply",
                "QueryScore",
            ],
            "reply": [
                "Points",
                "ReplyFailure",
                "ReplyFailureReason",
                "Unreadable",
                "ask_model",
                "json_objects",
            ],
        },
    )

__all__ = [
    "HUMAN",
    "JURY_WORDS",
    "NOT_GIVEN",
    "AgentChatClient",
    "Ask",
    "Ballot",
    "BallotCall",
    "BallotMessage",
    "BallotOutcome",
    "CallMessage",
    "Case",
    "CaseCount",
    "CaseMessage",
    "Classification",
    "Finding",
    "Guard",
    "GuardCategory",
    "GuardDialect",
    "HumanJuror",
    "Juror",
    "Perceived",
    "Persona",
    "PersonaSampling",
    "Points",
    "ProposedQuery",
    "QueryCall",
    "QueryGenerator",
    "QueryJudge",
    "QueryReply",
    "QueryScore",
    "ReplyFailure",
    "ReplyFailureReason",
    "Rubric",
    "Seat",
    "SeatAgent",
    "Statement",
    "Summary",
    "Unreadable",
    "ask_at_terminal",
    "ask_model",
    "bundled_guards",
    "bundled_personas",
    "case_of",
    "json_objects",
    "load_guard",
    "load_persona",
    "load_rubric",
    "neutralize",
    "prompt_hashes",
    "statements_for",
    "summarize",
]
