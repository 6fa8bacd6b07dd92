"""Rows as plain data, with a column for each label."""

from collections.abc import Iterator
from dataclasses import fields
from operator import attrgetter
from typing import Any

from ..metrics import LABEL
from ..record import RecordReader
from ._rows import BallotRow, CaseRow

TEXTS = ("question", "answer", "reason", "detail")
"""Columns that only rows with revealed texts have."""
_CASE = tuple(each.name for each in fields(CaseRow) if each.name not in ("labels", *TEXTS))
_BALLOT = tuple(each.name for each in fields(BallotRow) if each.name not in TEXTS)
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


def label_names(reader: RecordReader) -> Iterator[str]:
    """Yield the names of the labels that finished cases have, sorted."""
    yield from sorted({name for id in reader.case_ids() for name in reader.result(id).labels})
