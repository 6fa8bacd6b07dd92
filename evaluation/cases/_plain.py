"""Rows as plain data, with a column for each label."""

from operator import attrgetter
from typing import Any

from ..metrics import LABEL
from ._columns import ballot_columns, case_columns
from ._rows import BallotRow, CaseRow

_CASE, _BALLOT = (tuple(each.name for each in them()) for them in (case_columns, ballot_columns))
_case_values, _ballot_values = attrgetter(*_CASE), attrgetter(*_BALLOT)


def plain_case(row: CaseRow, *, reveal: bool = False) -> dict[str, Any]:
    """Return a case by the names of its columns; its labels are `labels.NAME`.

    Args:
        row: The case.
        reveal: Whether it has its `question` and `answer`.
    """
    plain: dict[str, Any] = dict(zip(_CASE, _case_values(row), strict=True))
    if reveal:
        plain |= {"question": row.question, "answer": row.answer}
    return plain | {f"{LABEL}{name}": value for name, value in row.labels.items()}


def plain_ballot(row: BallotRow, *, reveal: bool = False) -> dict[str, Any]:
    """Return a ballot by the names of its columns.

    Args:
        row: The ballot.
        reveal: Whether it has its `reason` and `detail`.
    """
    plain: dict[str, Any] = dict(zip(_BALLOT, _ballot_values(row), strict=True))
    return plain | {"reason": row.reason, "detail": row.detail} if reveal else plain
