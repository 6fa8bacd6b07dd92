"""Writes rows of cases as columns, in few bytes: the index by which a page filters and sorts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..cases import case_row, plain_case
from ..trials import CaseResult

_IN_CASES = frozenset(
    {
        "case_id",
        "category",
        "calls",
        "prompt_tokens",
        "completion_tokens",
        "cached_tokens",
        "cost_usd_known",
        "flips_to_unsafe",
        "mean_rating",
        "probability_corrected",
    }
)
"""Columns that follow from others, or that only a case which is opened shows."""
Column = dict[str, list[Any]]
"""`values` and `codes`, the place of each row's value among them; or `plain`, a value a row.

Without codes all rows have the one value."""


def index_row(result: CaseResult, run: int, latency_s: float | None) -> dict[str, Any]:
    """Return the row of a case in a page's index: what is filtered and sorted by.

    Its columns have the names of `CaseRow`; the id is made of query, target, epoch and condition.

    Args:
        result: The case.
        run: Place of its run among those of the page.
        latency_s: Seconds that its target took, None where unknown.
    """
    row = plain_case(case_row(result))
    kept = {name: value for name, value in row.items() if name not in _IN_CASES}
    return kept | {
        "run": run,
        "media": " and ".join(sorted(result.media)),
        "latency_s": latency_s,
    }


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Column]:
    """Return rows as columns; a value that a row lacks is null."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _column([row.get(name) for row in rows]) for name in names}


def _column(cells: Sequence[Any]) -> Column:
    values = _distinct(cells)
    if len(values) == 1:
        return {"values": values}
    if len(values) > len(cells) / 2 and not isinstance(values[0], str):
        return {"plain": list(cells)}
    place = {_key(value): number for number, value in enumerate(values)}
    return {"values": values, "codes": [place[_key(cell)] for cell in cells]}


def _distinct(cells: Iterable[Any]) -> list[Any]:
    return list({_key(cell): cell for cell in cells}.values())


def _key(cell: Any) -> object:
    """Return what tells values apart: 1 and true are two."""
    return (cell,) if isinstance(cell, bool) else cell
