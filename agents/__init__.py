"""Who speaks: jurors, the foreperson, their personas and prompts."""

from typing import TYPE_CHECKING

from ..datasets._lazy import lazy
from ._ballot import Ballot, BallotOutcome, Finding, Perceived
from ._call import BallotCall, Statement, statements_for
from ._case import Case
from ._fence import neutralise
from ._prompt_folder import PromptFolder
from ._prompts import prompt_hashes
from ._rubric import Rubric, load_rubric

if TYPE_CHECKING:
    from ._human import CaseCount, HumanJuror, ask_at_terminal
    from ._juror import Juror
    from ._messages import BallotMessage, CallMessage
    from ._persona import HUMAN, Persona, PersonaSampling, bundled_personas, load_persona
    from ._points import Points
    from ._query_call import QueryCall, QueryReply
    from ._query_generator import ProposedQuery, QueryGenerator
    from ._query_judge import QueryJudge, QueryScore
    from ._reading import Silence, SilenceReason, Unreadable, ask_model
    from ._reply import json_objects
    from ._seat import Seat
    from ._summary import Summary, summarise

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "BallotMessage": "_messages",
            "CallMessage": "_messages",
            "CaseCount": "_human",
            "HUMAN": "_persona",
            "HumanJuror": "_human",
            "ask_at_terminal": "_human",
            "Juror": "_juror",
            "Persona": "_persona",
            "PersonaSampling": "_persona",
            "Points": "_points",
            "ProposedQuery": "_query_generator",
            "QueryCall": "_query_call",
            "QueryGenerator": "_query_generator",
            "QueryJudge": "_query_judge",
            "QueryReply": "_query_call",
            "QueryScore": "_query_judge",
            "Seat": "_seat",
            "Silence": "_reading",
            "SilenceReason": "_reading",
            "Summary": "_summary",
            "Unreadable": "_reading",
            "ask_model": "_reading",
            "json_objects": "_reply",
            "bundled_personas": "_persona",
            "load_persona": "_persona",
            "summarise": "_summary",
        },
    )

__all__ = [
    "HUMAN",
    "Ballot",
    "BallotCall",
    "BallotMessage",
    "BallotOutcome",
    "CallMessage",
    "Case",
    "CaseCount",
    "Finding",
    "HumanJuror",
    "Juror",
    "Perceived",
    "Persona",
    "PersonaSampling",
    "Points",
    "PromptFolder",
    "ProposedQuery",
    "QueryCall",
    "QueryGenerator",
    "QueryJudge",
    "QueryReply",
    "QueryScore",
    "Rubric",
    "Seat",
    "Silence",
    "SilenceReason",
    "Statement",
    "Summary",
    "Unreadable",
    "ask_at_terminal",
    "ask_model",
    "bundled_personas",
    "json_objects",
    "load_persona",
    "load_rubric",
    "neutralise",
    "prompt_hashes",
    "statements_for",
    "summarise",
]
