"""The agent that writes queries, in dialogue with those who score them."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, StringConstraints, WithJsonSchema

from ...common.text import storable
from ._call import ItemShape, QueryWorker

_SHORTEST, _LONGEST, _LENGTH_ASKED = 8, 1000, 300


def _one_line(text: str) -> str:
    line = " ".join(storable(text).split())
    if len(line.split()) < 2:
        raise ValueError("a query has two words at least")
    return line


class ProposedQuery(BaseModel):
    """A query as a model wrote it.

    Attributes:
        number: What it is numbered with, 0 where it carries no number.
        text: What is asked, in one line.
    """

    number: int = 0
    text: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=_SHORTEST, max_length=_LONGEST),
        AfterValidator(_one_line),
        WithJsonSchema({"type": "string", "maxLength": _LENGTH_ASKED}),
    ]


class QueryGenerator(QueryWorker[ProposedQuery]):
    """Writes queries, and revises them after criticism.

    It keeps no state: a call carries the dialogue so far.

    Example:
        >>> generator = QueryGenerator(model)
        >>> reply = await generator.answer(QueryCall(prompt, (1, 2, 3), "queries/0001", seed=7))
    """

    SHAPE = ItemShape("queries", ProposedQuery, refuses="text")
