"""What deliberation did: what was contested, and how findings changed."""

# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ....common.text import count, points
from ...leaderboard import Leaderboard, LeaderboardRow
from .._canvas import ceiling, name_rows, percent_axis
from .._figure import Figure, FigureTable, LeftOut
from .._palette import light
from ._parts import (
    WILSON,
    bar,
    ends_of,
    few_said,
    height_of,
    legend_below,
    n_of,
    value_at,
    whisker,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas


def contested_bars(board: Leaderboard) -> Figure | LeftOut:
    """Return how often round 0 called for a discussion."""
    rows = [row for row in board.rows if row.summary.contested.n]
    if not rows:
        return LeftOut("contested", "no case has a vote")
    numbers = [row.summary.contested.n for row in rows]
    caption = (
        "Share of cases on which the jurors' first votes, before any talk, called for a "
        f"discussion. Lines are {WILSON}; {n_of(numbers, 'case with a vote', 'cases with a vote')}."
        + few_said(numbers, "Pale bars")
    )

    def draw(canvas: "Canvas") -> None:
        axes = canvas.add_subplot()
        highs: list[float] = []
        for place, row in enumerate(rows):
            rate = row.summary.contested
            high = (rate.interval or (0.0, rate.value or 0.0))[1]
            bar(axes, place, rate.value or 0.0, rate.interval, n=rate.n)
            value_at(axes, place, high, points(rate.value))
            highs.append(high)
        name_rows(axes, [row.name for row in rows])
        percent_axis(axes, "contested cases, %", ceiling(highs), labels=True)

    return Figure(
        "contested",
        "Contested cases by target",
        caption,
        FigureTable(
            ("target", "run", "contested", "contested_low", "contested_high", "n", "discussed"),
            tuple(
                (
                    *(row.name, row.run, rate.value, *ends_of(rate.interval), rate.n),
                    row.summary.flips.cases_discussed,
                )
                for row in rows
                for rate in (row.summary.contested,)
            ),
        ),
        (7.5, height_of(len(rows))),
        draw,
    )


def talk_effect(board: Leaderboard) -> Figure | LeftOut:
    """Return how the attack success rate and the votes changed from round 0 to the verdict."""
    rows = [
        row
        for row in board.rows
        if row.summary.flips.cases_discussed
        and row.summary.asr.micro is not None
        and row.summary.initial_asr.value is not None
    ]
    if not rows:
        return LeftOut("deliberation", f"no case was discussed (protocol: {board.protocol})")
    numbers = [row.summary.flips.cases_discussed for row in rows]
    caption = (
        "Left: attack success rate by the first votes alone (circle) and by the verdict (bar), "
        f"with {WILSON} of each. Right: votes that changed in discussion, to unsafe and to safe. "
        f"Discussed: {n_of(numbers, 'case')}. Whether a change was right is not known without "
        "labels."
    )

    def draw(canvas: "Canvas") -> None:
        left, right = canvas.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        _rates(left, rows)
        _flips(right, rows)
        name_rows(left, [row.name for row in rows])
        legend_below(left, {0: "by the verdict"})

    return Figure(
        "deliberation",
        "What deliberation changed",
        caption,
        FigureTable(
            (
                *("target", "run", "initial_asr", "initial_asr_low", "initial_asr_high"),
                *("asr", "asr_low", "asr_high", "n", "discussed", "votes_to_unsafe"),
                *("votes_to_safe", "verdicts_changed"),
            ),
            tuple(_cells(row) for row in rows),
        ),
        (9.0, height_of(len(rows), 0.36, 1.8)),
        draw,
    )


def _rates(axes: "Axes", rows: Sequence[LeaderboardRow]) -> None:
    highs: list[float] = []
    for place, row in enumerate(rows):
        asr, first = row.summary.asr, row.summary.initial_asr
        bar(axes, place + 0.13, asr.micro or 0.0, asr.interval, n=asr.n, height=0.34)
        whisker(axes, place - 0.24, first.interval, color=light("muted"))
        axes.plot(
            [first.value or 0.0],
            [place - 0.24],
            "o",
            color=light("paper"),
            markeredgecolor=light("series-4"),
            markeredgewidth=1.6,
            markersize=6,
            zorder=4,
            clip_on=False,
            label=None if place else "by first votes",
        )
        high = max(asr.micro or 0.0, *(asr.interval or ()))
        value_at(axes, place + 0.13, high, points(asr.micro))
        highs += [high, *(first.interval or ())]
    percent_axis(axes, "attack success rate, %", ceiling(highs), labels=True)


def _flips(axes: "Axes", rows: Sequence[LeaderboardRow]) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    most = max(max(row.summary.flips.to_unsafe, row.summary.flips.to_safe) for row in rows) or 1
    for place, row in enumerate(rows):
        flips = row.summary.flips
        bar(axes, place, float(flips.to_unsafe), None, n=flips.cases_discussed, which=3)
        bar(axes, place, float(-flips.to_safe), None, n=flips.cases_discussed, which=2)
        value_at(axes, place, flips.to_unsafe, count(flips.to_unsafe))
        axes.annotate(
            count(flips.to_safe),
            (-flips.to_safe, place),
            xytext=(-5, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=7.5,
        )
    axes.axvline(0, color=light("ink"), linewidth=0.8)
    axes.set_xlim(-most * 1.35, most * 1.35)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    axes.set_xlabel("votes to safe  \N{MIDDLE DOT}  votes to unsafe")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _plain(value: float, _: object) -> str:
    return f"{abs(value):,.0f}"


def _cells(row: LeaderboardRow) -> tuple[str | float | int | None, ...]:
    asr, first, flips = row.summary.asr, row.summary.initial_asr, row.summary.flips
    return (
        *(row.name, row.run, first.value, *ends_of(first.interval)),
        *(asr.micro, *ends_of(asr.interval), asr.n),
        *(flips.cases_discussed, flips.to_unsafe, flips.to_safe, flips.verdicts_changed),
    )
