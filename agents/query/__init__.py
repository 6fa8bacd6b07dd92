"""The agents that propose and score queries."""

from ._call import QueryCall, QueryReply
from ._generator import ProposedQuery, QueryGenerator
from ._judge import QueryJudge, QueryScore
from ._prompts import QueryPrompts

__all__ = [
    "ProposedQuery",
    "QueryCall",
    "QueryGenerator",
    "QueryJudge",
    "QueryPrompts",
    "QueryReply",
    "QueryScore",
]
