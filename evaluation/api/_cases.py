"""The cases of a run as rows, for tables and data frames."""

import html
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...common import ConfigurationError, escape_line
from ..cases import ballot_rows, case_rows, plain_ballot, plain_case
from ..record import RecordReader

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 20
"""Rows that a notebook shows of many."""
Row = dict[str, Any]


class Cases(list[Row]):
    """The finished cases of a run, a dictionary each; at the end of a cell it shows a table.

    Each has the columns of `safejury cases`, by the names that docs/cases.md explains, such as
    `case_id`, `target`, `query_id`, `scenario`, `intent`, `response` (how asking the target
    ended), `verdict` (`unsafe`, `safe` or `no_verdict`, which is never one of the other two),
    `rating` (1 to 5, 5 the safest), `initial_verdict`, `contested`, `changed` and `cost_usd`, and
    what the set says of the query as `labels.NAME`. What is not known is None.
    """

    def to_pandas(self) -> "pd.DataFrame":
        """Return them as a data frame.

        Raises:
            ConfigurationError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise ConfigurationError(
                "cases become a data frame where pandas is installed: python -m pip install "
                "pandas, or use them as the list of dictionaries that they are"
            ) from None
        return pd.DataFrame(list(self))

    def _repr_html_(self) -> str:
        columns = list(dict.fromkeys(name for row in self for name in row))
        head = "".join(f"<th>{_cell(name)}</th>" for name in columns)
        rows = (
            "<tr>" + "".join(f"<td>{_cell(row.get(name))}</td>" for name in columns) + "</tr>"
            for row in self[:_SHOWN]
        )
        more = len(self) - _SHOWN
        rest = f"<p>and {more:,} more</p>" if more > 0 else ""
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        return f'<div style="overflow-x: auto">{table}</div>{rest}'


def _cell(value: object) -> str:
    if value is None:
        return ""
    return html.escape(escape_line(f"{value:g}" if isinstance(value, float) else str(value)))


def read_cases(directory: Path, *, reveal: bool) -> Cases:
    """Return the finished cases of a run, in natural order by query, target and epoch.

    Args:
        directory: The run's directory.
        reveal: Whether each has its `question` and `answer` as well.

    Raises:
        RecordChangedError: The record is not as it was written.
        RecordError: It cannot be read.
    """
    with closing(RecordReader(directory)) as reader:
        reader.check_unchanged()
        rows = case_rows(reader, reveal=reveal)
        return Cases(plain_case(row, reveal=reveal) for row in rows)


def read_ballots(directory: Path, *, reveal: bool) -> Cases:
    """Return the ballots of a run's finished cases as rows, in the order of `read_cases`.

    Args:
        directory: The run's directory.
        reveal: Whether each has its `reason` and `detail` as well.

    Raises:
        RecordChangedError: The record is not as it was written.
        RecordError: It cannot be read.
    """
    with closing(RecordReader(directory)) as reader:
        reader.check_unchanged()
        rows = ballot_rows(reader, reveal=reveal)
        return Cases(plain_ballot(row, reveal=reveal) for row in rows)
