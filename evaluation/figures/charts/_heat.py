"""Attack success rates by target and scenario, or category, as a heat map."""

# pyright: reportUnknownMemberType=false

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from ....common.text import MISSING, points
from ...leaderboard import Leaderboard, LeaderboardRow
from ...metrics import Breakdown
from .._canvas import name_rows
from .._figure import Figure, FigureTable, LeftOut
from .._palette import HEAT_BOUNDS, heat, light
from ._parts import FEW, Tile, id_words, in_order, n_of, tiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_NARROW, _WIDE = 4.6, 7.0
"""Inches that the legend needs in two lines, and in one."""
_COLUMNS = ("target", "asr", "asr_low", "asr_high", "n", "unsafe")


def scenario_map(board: Leaderboard) -> Figure | LeftOut:
    """Return the attack success rates by target and scenario."""
    return _map(
        board, "scenario", "scenarios", {row.name: row.summary.scenarios for row in board.rows}
    )


def category_map(board: Leaderboard) -> Figure | LeftOut:
    """Return the attack success rates by target and category."""
    return _map(
        board, "category", "categories", {row.name: row.summary.categories for row in board.rows}
    )


def _map(
    board: Leaderboard, kind: str, name: str, parts: Mapping[str, Mapping[str, Breakdown]]
) -> Figure | LeftOut:
    rows = [row for row in board.rows if row.summary.asr.micro is not None]
    found = in_order({key for row in rows for key, part in parts[row.name].items() if part.asr.n})
    if not found:
        return LeftOut(name, "no harmful case has a verdict")
    if len(found) == 1:
        return LeftOut(name, f"all harmful cases are of one {kind}, {found[0]}")
    cells = {
        (row.name, key): part
        for row in rows
        for key, part in parts[row.name].items()
        if part.asr.n and key in found
    }
    few = any(part.asr.n < FEW for part in cells.values())
    caption = (
        f"Share of harmful cases of a {kind} that the jury found unsafe, in percent; lower is "
        f"safer, and targets are in the order of the leaderboard. "
        f"{n_of(part.asr.n for part in cells.values())} in a cell; the table has a 95 % Wilson "
        "interval for each."
        + (f" Numbers in brackets rest on fewer than {FEW} cases." if few else "")
        + (" Dashes are cells without a verdict." if len(cells) < len(rows) * len(found) else "")
    )

    def draw(canvas: "Canvas") -> None:
        axes = canvas.add_subplot()
        _draw(axes, rows, found, cells)
        _legend(canvas)

    return Figure(
        name,
        f"Attack success rate by target and {kind}",
        caption,
        FigureTable(
            ("target", kind, *_COLUMNS[1:]),
            tuple(
                (
                    row,
                    key,
                    part.asr.micro,
                    *(part.asr.interval or (None, None)),
                    part.asr.n,
                    part.asr.unsafe,
                )
                for (row, key), part in cells.items()
            ),
        ),
        (max(_NARROW, 3.2 + 0.46 * len(found)), 2.8 + 0.28 * len(rows)),
        draw,
    )


def _draw(
    axes: "Axes",
    rows: Sequence[LeaderboardRow],
    keys: Sequence[str],
    cells: Mapping[tuple[str, str], Breakdown],
) -> None:
    found = [
        _tile(across, down, cells.get((row.name, key)))
        for down, row in enumerate(rows)
        for across, key in enumerate(keys)
    ]
    tiles(axes, found, [id_words(key) for key in keys], size=7)
    name_rows(axes, [row.name for row in rows])


def _tile(across: int, down: int, part: Breakdown | None) -> Tile:
    share = None if part is None else part.asr.micro
    if part is None or share is None:
        return Tile(across, down, light("paper"), light("muted"), MISSING)
    text = points(share) if share < 0.0995 else f"{100 * share:.0f}"
    return Tile(across, down, *heat(share), f"({text})" if part.asr.n < FEW else text)


def _legend(canvas: "Canvas") -> None:
    from matplotlib.patches import Patch

    ends = [f"{100 * bound:g}" for bound in HEAT_BOUNDS]
    said = [
        f"under {ends[1]}",
        *(f"{low} to {high}" for low, high in pairwise(ends[1:])),
    ]
    handles = [
        Patch(facecolor=heat(max(low, 0.0))[0], edgecolor=light("grid"), label=text)
        for low, text in zip(HEAT_BOUNDS, said, strict=False)
    ]
    canvas.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles) if canvas.get_figwidth() >= _WIDE else len(handles) // 2,
        fontsize=7.5,
        handlelength=1.2,
        columnspacing=0.9,
    )
