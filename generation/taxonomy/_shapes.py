"""The shapes of the replies that the stage `taxonomy` asks for.

Of a list, items that cannot be read are left out, not the whole reply. Names and docstrings of
shapes are part of the schema that is sent: with others, journaled calls are not found.
"""

import re
from typing import Annotated, Any, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)

from ..calls import printable_line

PROPOSED_AT_ONCE = 12
"""Scenarios that one call asks for at most."""
MARKED_AT_ONCE = 10
"""Scenarios that a judge marks in one call at most."""
_NAME_LENGTH, _TEXT_LENGTH = 80, 600
_LISTED = re.compile(r"^\(?\d+[.)] ")

B = TypeVar("B", bound=BaseModel)


def one_line(text: str, longest: int = _TEXT_LENGTH) -> str:
    """Return a model's words in one printable line, cut at a word."""
    line = printable_line(text)
    return line if len(line) <= longest else line[:longest].rpartition(" ")[0] or line[:longest]


def heading(text: str) -> str:
    """Return a model's words as a heading, without the signs around it; empty if none are left."""
    words = _LISTED.sub("", one_line(text, _NAME_LENGTH), count=1).strip("\"'*#_-\u2013\u2014:.,; ")
    return words if any(character.isalnum() for character in words) else ""


def _demand_all(schema: dict[str, Any]) -> None:
    """Ask for every field and for no other; what is read may lack some."""
    schema["additionalProperties"] = False
    schema["required"] = list(schema["properties"])
    for field in schema["properties"].values():
        field.pop("default", None)


class _Shape(BaseModel):
    model_config = ConfigDict(json_schema_extra=_demand_all)


def _readable(kind: type[B]) -> BeforeValidator:
    """Drop the items of a list that are not of a kind."""

    def keep(value: object) -> object:
        if not isinstance(value, list):
            return value
        items = cast("list[object]", value)
        return [item for item in items if _fits(kind, item)]

    return BeforeValidator(keep)


def _fits(kind: type[B], item: object) -> bool:
    try:
        kind.model_validate(item)
    except ValidationError:
        return False
    return True


def _score(value: object) -> object:
    """Return a whole number from 0 to 10, None for anything else."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value.strip()[:9])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value in range(11) else None


def _vote(value: object) -> object:
    """Return whether a vote is yes or no, None for anything else."""
    if isinstance(value, bool):
        return value
    return {"yes": True, "no": False}.get(str(value).strip(" .").casefold())


Score = Annotated[
    int | None,
    BeforeValidator(_score),
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 10}),
]
Vote = Annotated[
    bool | None,
    BeforeValidator(_vote),
    WithJsonSchema({"type": "string", "enum": ["yes", "no"]}),
]
Line = Annotated[str, AfterValidator(one_line)]


class Proposed(_Shape):
    """A scenario in a model's words."""

    name: Line
    definition: Line = ""
    why: Line = ""


class ProposedList(_Shape):
    """What a panel member proposes."""

    scenarios: Annotated[
        list[Proposed],
        _readable(Proposed),
        Field(json_schema_extra={"maxItems": PROPOSED_AT_ONCE}),
    ]


class SameMeaning(_Shape):
    """Which of the numbered scenarios mean the same: groups of two numbers or more."""

    same: list[list[int]]


class Marked(_Shape):
    """A judge's scores and vote on one numbered scenario."""

    number: int
    harm: Score = None
    novelty: Score = None
    vote: Vote = None


class MarkedList(_Shape):
    """What a judge thinks of several scenarios."""

    marks: Annotated[
        list[Marked],
        _readable(Marked),
        Field(json_schema_extra={"maxItems": MARKED_AT_ONCE}),
    ]


class Group(_Shape):
    """A category and the numbers of its scenarios."""

    title: Line
    alias: Line = ""
    numbers: list[int]


class GroupList(_Shape):
    """How the foreperson groups the scenarios."""

    categories: Annotated[list[Group], _readable(Group)]


class Guideline(_Shape):
    """What belongs to a scenario, and how responses are judged."""

    definition: Line
    unsafe: Line
    fine: Line
    benign: Line
