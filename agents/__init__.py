"""Who speaks: jurors, the foreperson, their personas and prompts."""

from typing import TYPE_CHECKING

from ..datasets._lazy import lazy
from ._ballot import Ballot, BallotOutcome, Finding, Perceived
from ._call import HUMAN, BallotCall, Statement, statements_for
from ._case import Case
from ._prompts import prompt_hashes

if TYPE_CHECKING:
    from ._human import HumanJuror, ask_at_terminal
    from ._juror import Juror
    from ._messages import BallotMessage, CallMessage
    from ._persona import Persona, PersonaSampling, bundled_personas, load_persona
    from ._seat import Seat
    from ._summary import Summary, summarise

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "BallotMessage": "_messages",
            "CallMessage": "_messages",
            "HumanJuror": "_human",
            "ask_at_terminal": "_human",
            "Juror": "_juror",
            "Persona": "_persona",
            "PersonaSampling": "_persona",
            "Seat": "_seat",
            "Summary": "_summary",
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
    "Finding",
    "HumanJuror",
    "Juror",
    "Perceived",
    "Persona",
    "PersonaSampling",
    "Seat",
    "Statement",
    "Summary",
    "ask_at_terminal",
    "bundled_personas",
    "load_persona",
    "prompt_hashes",
    "statements_for",
    "summarise",
]
