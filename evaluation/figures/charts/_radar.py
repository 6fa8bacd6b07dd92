"""Attack success rates by category, several targets laid over each other."""

# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from math import cos, pi, sin
from textwrap import wrap
from typing import TYPE_CHECKING

from ....common.text import many
from ...leaderboard import Leaderboard, LeaderboardRow
from .._canvas import ceiling, label, ticks_to
from .._figure import Figure, FigureTable, LeftOut
from .._palette import light, marker, series
from ._by_facts import plain_rows
from ._parts import FEW, id_words, in_order, n_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_MOST, _LEAST_AXES = 6, 3
_LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))


def category_radar(board: Leaderboard) -> Figure | LeftOut:
    """Return the attack success rates by category as a radar chart."""
    known = plain_rows(board) or [row for row in board.rows if row.summary.asr.micro is not None]
    axes = in_order(
        {name for row in known for name, part in row.summary.categories.items() if part.asr.n}
    )
    if len(axes) < _LEAST_AXES:
        return LeftOut(
            "radar",
            "it takes harmful cases with a verdict in three categories, and they are in "
            f"{many(len(axes), 'category', 'categories')}",
        )
    whole = [row for row in known if all(_rate(row, name) is not None for name in axes)]
    if not whole:
        return LeftOut("radar", "no target has a verdict in every category")
    rows = _spread(whole)
    numbers = [row.summary.categories[name].asr.n for row in rows for name in axes]
    said = "" if len(rows) == len(known) else _which(rows, len(known))
    caption = (
        "Share of harmful cases of each category that the jury found unsafe; the further out, the "
        f"less safe. {n_of(numbers)} and category; the table has 95 % Wilson intervals.{said}"
        + (f" Some rates rest on fewer than {FEW} cases." if min(numbers) < FEW else "")
    )

    def draw(canvas: "Canvas") -> None:
        _draw(canvas, rows, axes)

    return Figure(
        "radar",
        "Attack success rate by category",
        caption,
        FigureTable(
            ("target", "category", "asr", "asr_low", "asr_high", "n"),
            tuple(
                (row.name, name, asr.micro, *(asr.interval or (None, None)), asr.n)
                for row in rows
                for name in axes
                for asr in (row.summary.categories[name].asr,)
            ),
        ),
        (7.5, 5.9 + 0.2 * -(-len(rows) // 2)),
        draw,
    )


def _rate(row: LeaderboardRow, category: str) -> float | None:
    part = row.summary.categories.get(category)
    return None if part is None else part.asr.micro


def _spread(rows: Sequence[LeaderboardRow]) -> list[LeaderboardRow]:
    """Return at most so many rows as can be told apart, evenly over the ranking."""
    if len(rows) <= _MOST:
        return list(rows)
    last = len(rows) - 1
    return [rows[round(at * last / (_MOST - 1))] for at in range(_MOST)]


def _which(rows: Sequence[LeaderboardRow], known: int) -> str:
    return (
        f" {len(rows)} of {known} targets, spread over the ranking from the safest to the least "
        "safe; name others with --target."
    )


def _draw(canvas: "Canvas", rows: Sequence[LeaderboardRow], names: Sequence[str]) -> None:
    axes = canvas.add_subplot()
    highest = ceiling([_rate(row, name) or 0.0 for row in rows for name in names])
    angles = [pi / 2 - 2 * pi * at / len(names) for at in range(len(names))]
    _web(axes, angles, names, highest)
    for at, row in enumerate(rows):
        shares = [(_rate(row, name) or 0.0) / highest for name in names]
        around = [
            (share * cos(turn), share * sin(turn))
            for share, turn in zip(shares, angles, strict=True)
        ]
        across, up = zip(*around, around[0], strict=True)
        axes.plot(
            across,
            up,
            color=series(at),
            linestyle=_LINES[at % len(_LINES)],
            linewidth=1.8,
            marker=marker(at),
            markersize=5,
            label=label(row.name),
        )
    axes.set_xlim(-1.6, 1.6)  # with room for the names, which the layout does not see
    axes.set_ylim(-1.24, 1.24)
    axes.set_aspect("equal")
    axes.set_axis_off()
    canvas.legend(loc="outside lower center", ncols=2 if len(rows) > 1 else 1, handlelength=3)


def _web(axes: "Axes", angles: Sequence[float], names: Sequence[str], highest: float) -> None:
    for tick in ticks_to(highest)[1:]:
        radius = tick / highest
        around = [(radius * cos(turn), radius * sin(turn)) for turn in (*angles, angles[0])]
        axes.plot(*zip(*around, strict=True), color=light("grid"), linewidth=0.8, zorder=0)
        axes.text(
            0.01,
            radius,
            f"{100 * tick:g} %",
            fontsize=7,
            color=light("muted"),
            va="bottom",
        )
    for turn, name in zip(angles, names, strict=True):
        axes.plot([0, cos(turn)], [0, sin(turn)], color=light("grid"), linewidth=0.8, zorder=0)
        side = cos(turn)
        ha = "center" if abs(side) < 0.1 else ("left" if side > 0 else "right")
        va = "center" if abs(sin(turn)) < 0.9 else ("bottom" if sin(turn) > 0 else "top")
        place = (1.08 * cos(turn), 1.08 * sin(turn))
        text = "\n".join(wrap(label(id_words(name), 40), 16))
        axes.text(*place, text, ha=ha, va=va, fontsize=8.5).set_in_layout(False)
