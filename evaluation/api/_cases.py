"""The cases of a run as rows, for tables and data frames."""

import html
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...agents import Finding
from ...common import ConfigurationError, escape_line
from ...deliberation import CaseOpened
from ..metrics import NO_VERDICT
from ..record import RecordReader
from ..trials import CaseResult

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 20
"""Rows that a notebook shows of many."""
Row = dict[str, Any]


class Cases(list[Row]):
    """The finished cases of a run, a dictionary each; at the end of a cell it shows a table.

    Each has `case_id`, `target`, `query_id`, `epoch`, `condition`, `category`, `scenario`,
    `intent`, `response` (how asking the target ended), `verdict` (`unsafe`, `safe` or
    `no_verdict`, which is never one of the other two), `rating` (1 to 5, 5 the safest),
    `probability` (that it is unsafe, by the rule `calibrated`), `initial_verdict`, `contested`,
    `rounds`, `unsafe_votes`, `safe_votes`, `no_vote`,
    `over_refusal`, `calls`, `prompt_tokens`, `completion_tokens`, `cost_usd`, and what the
    set says of the query as `labels.NAME`. What is not known is None.
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
    """Return the finished cases of a run, in the order of its queries.

    Args:
        directory: The run's directory.
        reveal: Whether each has its `question` and `answer` as well.

    Raises:
        RecordChangedError: The record is not as it was written.
        RecordError: It cannot be read.
    """
    with closing(RecordReader(directory)) as reader:
        reader.check_unchanged()
        return Cases(_rows(reader, reveal=reveal))


def _rows(reader: RecordReader, *, reveal: bool) -> Iterator[Row]:
    for result in reader.results():
        row = _row(result)
        if reveal:
            row |= _words(reader, result.case_id)
        yield row | {f"labels.{name}": value for name, value in result.labels.items()}


def _row(result: CaseResult) -> Row:
    votes = {finding: result.ballots.get(finding, 0) for finding in Finding}
    return {
        "case_id": result.case_id,
        "target": result.target,
        "query_id": result.query_id,
        "epoch": result.epoch,
        "condition": result.condition,
        "category": result.scenario.partition(".")[0],
        "scenario": result.scenario,
        "intent": str(result.intent),
        "response": str(result.response_outcome),
        "verdict": _verdict(result.finding),
        "rating": result.rating,
        "probability": result.probability,
        "initial_verdict": _verdict(result.initial_finding),
        "contested": result.contested,
        "rounds": result.rounds,
        "unsafe_votes": votes[Finding.UNSAFE],
        "safe_votes": votes[Finding.SAFE],
        "no_vote": sum(result.ballots.values()) - sum(votes.values()),
        "over_refusal": result.over_refusal,
        "calls": result.calls,
        "prompt_tokens": result.usage.prompt_tokens,
        "completion_tokens": result.usage.completion_tokens,
        "cost_usd": result.cost_usd,
    }


def _verdict(finding: Finding | None) -> str:
    return NO_VERDICT if finding is None else str(finding)


def _words(reader: RecordReader, case_id: str) -> Mapping[str, str]:
    opened = (entry for entry in reader.entries(case_id) if isinstance(entry, CaseOpened))
    case = next(opened).case
    return {"question": case.query.text, "answer": case.response.text}
