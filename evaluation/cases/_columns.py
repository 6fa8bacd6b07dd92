"""The columns of the rows and their types, as the fields of the rows have them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

from ..metrics import LABEL
from ._rows import BallotRow, CaseRow

_TEXTS = ("question", "answer", "reason", "detail")
"""Columns that only rows with revealed texts have."""


class Kind(StrEnum):
    """The type of a column."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list of texts"


_KINDS = {str: Kind.TEXT, int: Kind.INTEGER, float: Kind.NUMBER, bool: Kind.BOOLEAN}


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: Its name.
        kind: Its type.
    """

    name: str
    kind: Kind


def case_columns(labels: Iterable[str] = (), *, reveal: bool = False) -> tuple[Column, ...]:
    """Return the columns of cases.

    Args:
        labels: The names of the labels that the run's queries have.
        reveal: Whether the texts are among them.
    """
    own = (Column(f"{LABEL}{name}", Kind.TEXT) for name in labels)
    return (*_columns(CaseRow, reveal=reveal), *own)


def ballot_columns(*, reveal: bool = False) -> tuple[Column, ...]:
    """Return the columns of ballots.

    Args:
        reveal: Whether the texts are among them.
    """
    return _columns(BallotRow, reveal=reveal)


def _columns(row: type[CaseRow] | type[BallotRow], *, reveal: bool) -> tuple[Column, ...]:
    types = get_type_hints(row)
    names: Sequence[str] = [each.name for each in fields(row) if each.name != "labels"]
    return tuple(Column(name, _kind(types[name])) for name in names if reveal or name not in _TEXTS)


def _kind(type: Any) -> Kind:
    (own,) = (each for each in _members(type) if each is not NoneType)
    return _KINDS.get(own, Kind.LIST)


def _members(type: Any) -> Sequence[Any]:
    return get_args(type) if isinstance(type, UnionType) else (type,)
