"""Our figures beside those that the SafeBench paper published."""

from collections.abc import Sequence

from ....common import ConfigurationError
from .._leaderboard import Leaderboard, LeaderboardRow
from .._matched import Matched, matched_rows
from .._published import PublishedRates, published_table
from ._columns import in_words, jury_said
from ._table import BoardTable, Cell, Heading

_COLUMNS = (
    Heading("asr_macro", "our ASR %", "share", None, 0),
    Heading("paper_asr", "paper's ASR %", "share", None, 0),
    Heading("asr_difference", "difference", "difference", None, 0),
    Heading("sri_macro", "our SRI", "index", None, 1),
    Heading("paper_sri", "paper's SRI", "index", None, 1),
    Heading("sri_difference", "difference", "gap", None, 1),
    Heading("n", "our n", "count", None, 2),
    Heading("paper_n", "paper's n", "count", None, 2),
    Heading("judges", "judges", "hidden"),
)


def beside_tables(board: Leaderboard, *, by_category: bool = False) -> list[BoardTable]:
    """Return our figures beside the paper's, with the differences.

    The averages weigh each category the same, as the paper's do.

    Args:
        board: Our figures.
        by_category: Whether there is a table a category as well.

    Raises:
        ConfigurationError: The paper has none of the targets.
    """
    matched = matched_rows(board)
    table = published_table()
    if not matched:
        raise ConfigurationError(
            f"--beside paper: no target is one of the paper's {len(table.targets)}, by the name of "
            f"its model: {', '.join(table.targets)}"
        )
    others = [row.name for row in board.rows if row.name not in {one.name for one, _ in matched}]
    notes = [note for _, theirs in matched for note in theirs.notes]
    caption = (
        "Averages over categories, each weighing the same, as the paper's are. "
        f"{jury_said(board)} Ours have 95 % intervals, the paper prints none; a difference is ours "
        f"less the paper's. Paper: {table.source}."
        + (f" Not in the paper: {', '.join(others)}." if others else "")
        + "".join(f" {note}" for note in notes)
    )
    tables = [_table("beside_paper", "Beside the paper", caption, [_whole(one) for one in matched])]
    if by_category:
        names = dict.fromkeys(name for _, theirs in matched for name in theirs.categories)
        tables += [
            _table(
                f"beside_paper_{name}",
                f"Beside the paper: {in_words(name)}",
                "Of this category alone; what stands above holds.",
                [_of_category(one, name) for one in matched],
            )
            for name in names
            if any(_has(row, name) for row, _ in matched)
        ]
    return tables


def _has(row: LeaderboardRow, category: str) -> bool:
    part = row.summary.categories.get(category)
    return part is not None and part.asr.n > 0


_Line = tuple[LeaderboardRow, Cell, Cell, int, PublishedRates]


def _whole(one: Matched) -> _Line:
    row, theirs = one
    asr, sri = row.summary.asr, row.summary.sri
    ours = Cell(asr.macro, asr.macro_interval), Cell(sri.macro, sri.macro_interval)
    return (row, *ours, asr.n, theirs.average)


def _of_category(one: Matched, category: str) -> _Line:
    row, theirs = one
    part = row.summary.categories.get(category)
    if part is None:
        return row, Cell(None), Cell(None), 0, theirs.categories[category]
    ours = Cell(part.asr.micro, part.asr.interval), Cell(part.sri.micro, part.sri.interval)
    return (row, *ours, part.asr.n, theirs.categories[category])


def _table(name: str, title: str, caption: str, lines: Sequence[_Line]) -> BoardTable:
    return BoardTable(
        name,
        title,
        caption,
        _COLUMNS,
        tuple(row.name for row, *_ in lines),
        tuple(row.run for row, *_ in lines),
        tuple(
            (
                *(asr, Cell(theirs.asr), Cell(_less(asr, theirs.asr))),
                *(sri, Cell(theirs.sri), Cell(_less(sri, theirs.sri))),
                *(Cell(n), Cell(theirs.n), Cell("different")),
            )
            for _, asr, sri, n, theirs in lines
        ),
    )


def _less(ours: Cell, theirs: float) -> float | None:
    return None if not isinstance(ours.value, int | float) else round(ours.value - theirs, 12)
