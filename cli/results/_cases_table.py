"""Cases and ballots on the screen."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TypeVar

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ...common import escape_line
from ...common.text import MISSING, dollars, short
from ...evaluation.cases import BallotRow, CaseRow
from ...evaluation.report import Cell, Column, Grid, in_its_encoding

_ROWS = 500
"""Rows of one table; what comes after them has a head of its own."""
_OTHERS = 55
"""Columns of a screen that all but the names of a case and its scenario may take."""
_EXCERPT = 300
"""Characters of a revealed text."""
_COLORS = {"unsafe": "red", "safe": "green"}
_CASES = (
    "votes: unsafe\N{EN DASH}safe in the last round, +n: seats without a vote; talk: whether round "
    "0 was contested, and which verdict of it was changed"
)
_BALLOTS = "round 0 is independent; changed: whether the juror found otherwise the round before"
_IN_HEADING = {
    "round": "round ",
    "juror": "",
    "finding": "",
    "verdict": "",
    "rating": "rating ",
    "votes": "votes ",
    "talk": "",
    "response": "",
    "changed": "changed: ",
    "P(unsafe)": "P(unsafe) ",
    "P by card": "P by card ",
}
"""Columns that go before revealed texts, and with which words."""
Row = TypeVar("Row", CaseRow, BallotRow)
_Columns = Callable[[Sequence[Row], Console], list[Column]]
_Said = Iterator[tuple[str, str | None]]


def write_cases(console: Console, rows: Iterable[CaseRow], *, reveal: bool) -> int:
    """Print cases, and return how many; with `reveal` the beginnings of their texts instead."""
    if not reveal:
        return _write_table(console, rows, _case_columns, _CASES)

    def said(row: CaseRow) -> _Said:
        yield "", row.scenario
        yield "question", row.question
        yield "answer", row.answer

    return _write_texts(console, rows, _case_columns, said)


def write_ballots(console: Console, rows: Iterable[BallotRow], *, reveal: bool) -> int:
    """Print ballots, and return how many; with `reveal` the beginnings of their reasons instead."""
    if not reveal:
        return _write_table(console, rows, _ballot_columns, _BALLOTS)

    def said(row: BallotRow) -> _Said:
        yield "criteria", ", ".join(row.criteria)
        yield "reason", row.reason
        yield "detail", row.detail

    return _write_texts(console, rows, _ballot_columns, said)


def _write_table(
    console: Console, rows: Iterable[Row], columns: "_Columns[Row]", reading: str
) -> int:
    written, left = 0, iter(rows)

    def write(part: Sequence[Row]) -> None:
        names = [Text(escape_line(row.case_id)) for row in part]
        shown = columns(part, console)
        Grid("", "case", names, shown, whole_names=True).write(console)

    while part := list(islice(left, _ROWS)):
        in_its_encoding(console, partial(write, part))
        written += len(part)
    if written:
        in_its_encoding(console, partial(console.print, Text(reading, style="dim")))
    return written


def _write_texts(
    console: Console,
    rows: Iterable[Row],
    columns: "_Columns[Row]",
    said: Callable[[Row], "_Said"],
) -> int:
    written = 0

    def write(row: Row) -> None:
        heading = Text(escape_line(row.case_id))
        heading.stylize("bold")
        for column in columns([row], console):
            words, cell = _IN_HEADING.get(column.head), column.cells[0]
            if words is not None and str(cell) not in ("", MISSING):
                heading.append(f"  {words}").append_text(_as_text(cell))
        console.print(heading)
        for name, text in said(row):
            if text:
                line = Text(f"{name}: " if name else "", style="dim")
                line.append(short(escape_line(text), _EXCERPT), style="not dim" if name else "")
                console.print(Padding(line, (0, 0, 0, 2), expand=False))

    for row in rows:
        in_its_encoding(console, partial(write, row))
        written += 1
    return written


def _case_columns(rows: Sequence[CaseRow], console: Console) -> list[Column]:
    columns = [
        Column("verdict", [_found(row.verdict) for row in rows], 0, left=True),
        Column("rating", [_rating(row.rating) for row in rows], 0),
        Column("votes", [_votes(row) for row in rows], 0),
        Column("talk", [_talk(row) for row in rows], 1, left=True),
        Column("scenario", _scenarios(rows, console), 2, left=True),
        Column("intent", [row.intent for row in rows], 3, left=True),
        Column("cost", [_cost(row.cost_usd) for row in rows], 4),
    ]
    if any(row.response != "answered" for row in rows):
        columns.insert(4, Column("response", [row.response for row in rows], 1, left=True))
    for head, chances in (
        ("P by card", [row.probability_corrected for row in rows]),
        ("P(unsafe)", [row.probability for row in rows]),
    ):
        if any(chance is not None for chance in chances):
            columns.insert(3, Column(head, [_chance(chance) for chance in chances], 1))
    return columns


def _ballot_columns(rows: Sequence[BallotRow], console: Console) -> list[Column]:
    guarded = any(row.guard for row in rows)
    misquoted = any(row.misquotes for row in rows)
    return [
        Column("round", [str(row.round) for row in rows], 0),
        Column("juror", [escape_line(row.juror) for row in rows], 0, left=True),
        Column("finding", [_found(row.finding or row.outcome) for row in rows], 0, left=True),
        Column("rating", [_rating(row.rating) for row in rows], 0),
        Column("changed", ["yes" if row.changed else "" for row in rows], 1, left=True),
        Column("criteria", [_criteria(row) for row in rows], 2, left=True),
        *([Column("misquotes", [str(r.misquotes or "") for r in rows], 3)] if misquoted else []),
        *([Column("guard", [row.guard for row in rows], 4, left=True)] if guarded else []),
        Column("model", [escape_line(row.model) for row in rows], 5, left=True),
        Column("cost", [_cost(row.cost_usd) for row in rows], 6),
    ]


def _as_text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(str(cell))


def _found(word: str) -> Text:
    return Text(word.replace("_", " "), style=_COLORS.get(word, "yellow"))


def _rating(rating: float | None) -> str:
    return MISSING if rating is None else f"{rating:g}"


def _votes(row: CaseRow) -> str:
    if not row.unsafe_votes + row.safe_votes + row.no_vote:
        return MISSING
    more = f" +{row.no_vote}" if row.no_vote else ""
    return f"{row.unsafe_votes}\N{EN DASH}{row.safe_votes}{more}"


def _talk(row: CaseRow) -> str:
    if row.changed:
        return f"was {row.initial_verdict}"
    return "contested" if row.contested else ""


def _scenarios(rows: Sequence[CaseRow], console: Console) -> list[str]:
    """Return the names of scenarios, without their categories where these would take much room."""
    room = console.width - max(cell_len(row.case_id) for row in rows) - _OTHERS
    whole = max(cell_len(row.scenario) for row in rows) <= room
    return [
        escape_line(row.scenario if whole else row.scenario.partition(".")[2] or row.scenario)
        for row in rows
    ]


def _chance(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f}"


def _cost(usd: float | None) -> str:
    return MISSING if usd is None else dollars(usd)


def _criteria(row: BallotRow) -> str:
    return short(escape_line(", ".join(row.criteria)), 40)
