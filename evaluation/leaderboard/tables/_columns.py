"""The columns that a table of a leaderboard can have, and the tables by category."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from ....common import ConfigurationError
from ....common.text import count, did_you_mean, many, quoted
from ...metrics import Breakdown, Rate
from .._leaderboard import Leaderboard, LeaderboardRow
from ._table import BoardTable, Cell, Heading

_WILSON = "95 % Wilson intervals at the effective number of cases"


def _of_rate(rate: Rate) -> Cell:
    return Cell(rate.value, rate.interval)


def _cost(row: LeaderboardRow) -> Cell:
    known = row.summary.cost_usd
    return Cell(None if known is None or not row.summary.verdicts else known / row.summary.verdicts)


_Column = tuple[Heading, Callable[[LeaderboardRow], Cell]]
_ALL: tuple[_Column, ...] = (
    (
        Heading("asr", "ASR %", "share", "low", 0),
        lambda row: Cell(row.summary.asr.micro, row.summary.asr.interval),
    ),
    (
        Heading("asr_corrected", "corrected ASR %", "share", "low", 0),
        lambda row: Cell(row.summary.asr.corrected, row.summary.asr.corrected_interval),
    ),
    (
        Heading("asr_macro", "macro ASR %", "share", "low", 2),
        lambda row: Cell(row.summary.asr.macro, row.summary.asr.macro_interval),
    ),
    (
        Heading("sri", "SRI", "index", "high"),
        lambda row: Cell(row.summary.sri.micro, row.summary.sri.interval),
    ),
    (
        Heading("sri_macro", "macro SRI", "index", "high", 3),
        lambda row: Cell(row.summary.sri.macro, row.summary.sri.macro_interval),
    ),
    (
        Heading("over_refusal", "over-refusal %", "share", "low"),
        lambda row: _of_rate(row.summary.over_refusal),
    ),
    (
        Heading("benign_unsafe", "benign unsafe %", "share", "low", 3),
        lambda row: _of_rate(row.summary.benign_unsafe),
    ),
    (
        Heading("contested", "contested %", "share", None, 3),
        lambda row: _of_rate(row.summary.contested),
    ),
    (Heading("coverage", "coverage %", "share", None, 1), lambda row: Cell(row.summary.coverage)),
    (Heading("n", "n", "count", None, 1), lambda row: Cell(row.summary.asr.n)),
    (Heading("cost", "$ a verdict", "usd", None, 3), _cost),
    (Heading("family", "family", "text", None, 4), lambda row: Cell(row.facts.family)),
    (Heading("size_b", "size (B)", "number", None, 4), lambda row: Cell(row.facts.size_b)),
    (Heading("backbone", "backbone", "text", None, 4), lambda row: Cell(row.facts.backbone)),
    (Heading("released", "released", "text", None, 4), lambda row: Cell(row.facts.released)),
)
COLUMNS = MappingProxyType[str, _Column]({column[0].name: column for column in _ALL})
"""The columns by their names."""
_USUAL = ("asr", "asr_corrected", "asr_macro", "sri", "over_refusal", "coverage", "n")


def read_columns(said: str | None) -> tuple[str, ...]:
    """Return the names of columns in a list such as `asr,sri`; the usual ones for None.

    Raises:
        ConfigurationError: There is no column of one of the names.
    """
    if said is None:
        return _USUAL
    names = tuple(dict.fromkeys(name.strip().casefold() for name in said.split(",")))
    for name in names:
        if name not in COLUMNS:
            raise ConfigurationError(
                f"--columns {quoted(said)}: there is no column {quoted(name)}"
                f"{did_you_mean(name, COLUMNS)}: the columns are {', '.join(COLUMNS)}"
            )
    return names


def leaderboard_table(board: Leaderboard, columns: Sequence[str] = _USUAL) -> BoardTable:
    """Return the main table of a leaderboard; columns without any value are left out."""
    chosen = [COLUMNS[name] for name in columns]
    return (
        BoardTable(
            "leaderboard",
            "Leaderboard",
            f"Targets by attack success rate (ASR), lowest first. {jury_said(board)} Rates have "
            f"{_WILSON}, the safety risk index (SRI) 95 % intervals by Student's t over queries; "
            f"{_n_of([row.summary.asr.n for row in board.rows])}. Best values are marked; where "
            "intervals overlap, a rank says little.",
            tuple(heading for heading, _ in chosen),
            tuple(row.name for row in board.rows),
            tuple(row.run for row in board.rows),
            tuple(tuple(cell(row) for _, cell in chosen) for row in board.rows),
        )
        .without_empty()
        .with_best()
    )


def part_table(board: Leaderboard, by: Literal["category", "scenario"]) -> BoardTable:
    """Return ASR and SRI by category or scenario, and their averages, as the paper's table.

    Raises:
        ConfigurationError: No harmful case has a verdict.
    """
    parts: dict[str, Mapping[str, Breakdown]] = {
        row.name: row.summary.categories if by == "category" else row.summary.scenarios
        for row in board.rows
    }
    found = sorted({name for each in parts.values() for name, part in each.items() if part.asr.n})
    if not found:
        raise ConfigurationError(f"--by {by}: no harmful case has a verdict")
    headings = tuple(Heading(f"asr_{name}", in_words(name), "pair", "low") for name in found)
    numbers = [part.asr.n for each in parts.values() for part in each.values() if part.asr.n]
    return BoardTable(
        f"by_{by}",
        f"ASR/SRI by {by}",
        f"Attack success rate in percent and safety risk index by {by}; the average weighs each "
        f"category the same. {jury_said(board)} {_n_of(numbers)} in a cell; best rates are marked. "
        "Intervals are in the CSV and JSON of the same table.",
        (*headings, Heading("asr_average", "average", "pair", "low", 0)),
        tuple(row.name for row in board.rows),
        tuple(row.run for row in board.rows),
        tuple(
            (
                *(_of_part(parts[row.name].get(name)) for name in found),
                Cell(row.summary.asr.macro, row.summary.asr.macro_interval, row.summary.sri.macro),
            )
            for row in board.rows
        ),
    ).with_best()


def _of_part(part: Breakdown | None) -> Cell:
    return Cell(None) if part is None else Cell(part.asr.micro, part.asr.interval, part.sri.micro)


def in_words(name: str) -> str:
    """Return an id as words, without underscores."""
    return name.rpartition(".")[2].replace("_", " ")


def jury_said(board: Leaderboard) -> str:
    """Return who judged, in a sentence."""
    models = {seat.model for seat in board.jury}
    return (
        f"Judged by {many(len(board.jury), 'juror')} on {many(len(models), 'model')}, protocol "
        f"{board.protocol}."
    )


def _n_of(numbers: Sequence[int]) -> str:
    known = sorted({*numbers})
    if not known:
        return "n = 0"
    if len(known) == 1:
        return f"n = {many(known[0], 'harmful case')} each"
    return f"n = {count(known[0])} to {many(known[-1], 'harmful case')}"
