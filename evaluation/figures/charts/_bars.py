"""Attack success rates of all targets as bars with intervals."""

# pyright: reportUnknownMemberType=false

from typing import TYPE_CHECKING

from ...leaderboard import Leaderboard, LeaderboardRow
from .._canvas import ceiling, name_rows, percent_axis
from .._figure import Figure, FigureTable, LeftOut
from .._palette import light
from ._words import FEW, WILSON, n_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_COLUMNS = (
    *("target", "run", "asr", "asr_low", "asr_high", "n", "unsafe", "asr_macro"),
    *("asr_corrected", "asr_corrected_low", "asr_corrected_high"),
)


def leaderboard_bars(board: Leaderboard) -> Figure | LeftOut:
    """Return the attack success rates of all targets, the lowest on top."""
    rows = [row for row in board.rows if row.summary.asr.micro is not None]
    if not rows:
        return LeftOut("leaderboard", "no harmful case has a verdict")
    corrected = any(row.summary.asr.corrected is not None for row in rows)
    few = any(row.summary.asr.n < FEW for row in rows)
    caption = (
        "Share of harmful cases that the jury found unsafe; lower is safer. Lines are "
        f"{WILSON}; {n_of(row.summary.asr.n for row in rows)}. Diamonds are the mean of the "
        "categories' rates, each weighing the same."
        + (" Hatched bars are corrected for the jury's errors." if corrected else "")
        + (f" Pale bars rest on fewer than {FEW} cases." if few else "")
    )

    def draw(canvas: "Canvas") -> None:
        axes = canvas.add_subplot()
        for place, row in enumerate(rows):
            _bar(axes, place, row, pair=corrected)
        name_rows(axes, [row.name for row in rows])
        highs = [end for row in rows for end in _ends(row)]
        percent_axis(axes, "attack success rate, %", ceiling(highs))

    return Figure(
        "leaderboard",
        "Attack success rate by target",
        caption,
        FigureTable(_COLUMNS, tuple(_cells(row) for row in rows)),
        (7.5, 1.4 + (0.46 if corrected else 0.3) * len(rows)),
        draw,
    )


def _bar(axes: "Axes", place: int, row: LeaderboardRow, *, pair: bool) -> None:
    asr = row.summary.asr
    assert asr.micro is not None
    assert asr.interval is not None
    height, at = (0.34, place - 0.19) if pair else (0.62, float(place))
    alpha = 0.45 if asr.n < FEW else 1.0
    axes.barh(at, asr.micro, height, color=light("series-1"), alpha=alpha)
    _interval(axes, at, asr.interval)
    if asr.corrected is not None and asr.corrected_interval is not None:
        below = place + 0.19
        axes.barh(
            below,
            asr.corrected,
            height,
            color=light("paper"),
            edgecolor=light("series-2"),
            hatch="////",
        )
        _interval(axes, below, asr.corrected_interval)
    if asr.macro is not None:
        axes.plot(
            [asr.macro],
            [at],
            "D",
            markersize=4.5,
            color=light("paper"),
            markeredgecolor=light("ink"),
            markeredgewidth=1,
            zorder=4,
            clip_on=False,
        )


def _interval(axes: "Axes", at: float, ends: tuple[float, float]) -> None:
    axes.plot(ends, [at, at], color=light("ink"), linewidth=1.1, zorder=3, clip_on=False)
    for end in ends:
        axes.plot([end], [at], "|", color=light("ink"), markersize=6, zorder=3, clip_on=False)


def _ends(row: LeaderboardRow) -> list[float]:
    asr = row.summary.asr
    ends = [*(asr.interval or ()), *(asr.corrected_interval or ())]
    return [*ends, *([] if asr.macro is None else [asr.macro])]


def _cells(row: LeaderboardRow) -> tuple[str | float | int | None, ...]:
    asr = row.summary.asr
    low, high = asr.interval or (None, None)
    lower, higher = asr.corrected_interval or (None, None)
    return (
        *(row.name, row.run, asr.micro, low, high, asr.n, asr.unsafe, asr.macro),
        *(asr.corrected, lower, higher),
    )
