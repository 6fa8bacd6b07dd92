"""Rates of all targets as bars with intervals: attack success, safety index, over-refusal."""

# pyright: reportUnknownMemberType=false

from typing import TYPE_CHECKING

from ....common.text import index, points
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
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_LOWEST_INDEX, _HIGHEST_INDEX = 20.0, 100.0


def leaderboard_bars(board: Leaderboard) -> Figure | LeftOut:
    """Return the attack success rates of all targets, the lowest on top."""
    rows = [row for row in board.rows if row.summary.asr.micro is not None]
    if not rows:
        return LeftOut("leaderboard", "no harmful case has a verdict")
    corrected = any(row.summary.asr.corrected is not None for row in rows)
    numbers = [row.summary.asr.n for row in rows]
    caption = (
        f"Share of harmful cases that the jury found unsafe; lower is safer. Lines are {WILSON}; "
        f"{n_of(numbers)}. Diamonds are the mean of the categories' rates, each weighing the same."
        + (
            " Hatched bars are corrected for the jury's errors, with the intervals of the "
            "correction."
            if corrected
            else ""
        )
        + few_said(numbers, "Pale bars")
    )

    def draw(canvas: "Canvas") -> None:
        axes = canvas.add_subplot()
        for place, row in enumerate(rows):
            _attack(axes, place, row, pair=corrected)
        if corrected:
            legend_below(axes, {0: "as the jury found", 1: "corrected for its errors"})
        name_rows(axes, [row.name for row in rows])
        highs = [end for row in rows for end in _ends(row)]
        percent_axis(axes, "attack success rate, %", ceiling(highs), labels=True)

    return Figure(
        "leaderboard",
        "Attack success rate by target",
        caption,
        FigureTable(
            (
                *("target", "run", "asr", "asr_low", "asr_high", "n", "unsafe", "asr_macro"),
                *("asr_corrected", "asr_corrected_low", "asr_corrected_high"),
            ),
            tuple(_cells(row) for row in rows),
        ),
        (7.5, height_of(len(rows), 0.46 if corrected else 0.3, 1.8 if corrected else 1.3)),
        draw,
    )


def _attack(axes: "Axes", place: int, row: LeaderboardRow, *, pair: bool) -> None:
    asr = row.summary.asr
    assert asr.micro is not None
    height, at = (0.34, place - 0.19) if pair else (0.62, float(place))
    bar(axes, at, asr.micro, asr.interval, n=asr.n, height=height)
    value_at(axes, at, max(asr.micro, asr.macro or 0, *(asr.interval or ())), points(asr.micro))
    if asr.corrected is not None:
        below, ends = place + 0.19, asr.corrected_interval
        bar(axes, below, asr.corrected, ends, n=asr.corrected_cases, height=height, which=1)
        value_at(axes, below, max(asr.corrected, *(ends or (0.0,))), points(asr.corrected))
    if asr.macro is not None:
        _diamond(axes, asr.macro, at)


def _diamond(axes: "Axes", value: float, at: float) -> None:
    axes.plot(
        [value],
        [at],
        "D",
        markersize=4.5,
        color=light("paper"),
        markeredgecolor=light("ink"),
        markeredgewidth=1,
        zorder=4,
        clip_on=False,
    )


def _ends(row: LeaderboardRow) -> list[float]:
    asr = row.summary.asr
    ends = [*(asr.interval or ()), *(asr.corrected_interval or ())]
    return [*ends, *([] if asr.macro is None else [asr.macro])]


def _cells(row: LeaderboardRow) -> tuple[str | float | int | None, ...]:
    asr = row.summary.asr
    return (
        *(row.name, row.run, asr.micro, *ends_of(asr.interval), asr.n, asr.unsafe, asr.macro),
        *(asr.corrected, *ends_of(asr.corrected_interval)),
    )


def safety_bars(board: Leaderboard) -> Figure | LeftOut:
    """Return the safety indices of all targets, in the order of the leaderboard."""
    rows = [(row, row.summary.sri) for row in board.rows if row.summary.sri.micro is not None]
    if not rows:
        return LeftOut("safety-index", "no harmful case has a verdict with a rating")
    numbers = [sri.n for _, sri in rows]
    caption = (
        "Safety risk index: 20 x the mean rating of harmful cases (1 to 5, 5 is safest), so 20 to "
        "100; higher is safer. Lines are 95 % intervals by Student's t over queries; "
        f"{n_of(numbers)}. Diamonds are the mean of the categories' indices."
        + few_said(numbers, "Pale bars")
    )

    def draw(canvas: "Canvas") -> None:
        axes = canvas.add_subplot()
        for place, (_, sri) in enumerate(rows):
            assert sri.micro is not None
            bar(axes, place, sri.micro, sri.interval, n=sri.n, start=_LOWEST_INDEX)
            high = max(sri.micro, sri.macro or 0, *(sri.interval or ()))
            value_at(axes, place, high, index(sri.micro))
            if sri.macro is not None:
                _diamond(axes, sri.macro, place)
        name_rows(axes, [row.name for row, _ in rows])
        axes.set_xlim(_LOWEST_INDEX, _HIGHEST_INDEX + 5)
        axes.set_xticks([20, 40, 60, 80, 100])
        axes.grid(axis="x")
        axes.set_xlabel("safety risk index")

    return Figure(
        "safety-index",
        "Safety risk index by target",
        caption,
        FigureTable(
            ("target", "run", "sri", "sri_low", "sri_high", "n", "sri_macro"),
            tuple(
                (row.name, row.run, sri.micro, *ends_of(sri.interval), sri.n, sri.macro)
                for row, sri in rows
            ),
        ),
        (7.5, height_of(len(rows))),
        draw,
    )


def refusal_bars(board: Leaderboard) -> Figure | LeftOut:
    """Return how often targets declined harmless queries, and what of them was found unsafe."""
    rows = [row for row in board.rows if row.summary.over_refusal.n]
    if not rows:
        return LeftOut("over-refusal", "the runs ask no benign query")
    refused = [(row.summary.over_refusal, row.summary.benign_unsafe) for row in rows]
    numbers = [rate.n for pair in refused for rate in pair if rate.n]
    caption = (
        "Share of benign queries that a target declined (over-refusal), and of those whose "
        f"response the jury found unsafe; lower is better for both. Lines are {WILSON}; "
        f"{n_of(numbers, 'benign case')}." + few_said(numbers, "Pale bars")
    )

    def draw(canvas: "Canvas") -> None:
        axes = canvas.add_subplot()
        highs: list[float] = []
        for place, pair in enumerate(refused):
            for which, rate in enumerate(pair):
                at = place + (0.19 if which else -0.19)
                if rate.value is not None and rate.interval is not None:
                    bar(axes, at, rate.value, rate.interval, n=rate.n, height=0.34, which=which)
                    value_at(axes, at, rate.interval[1], points(rate.value))
                    highs.append(rate.interval[1])
        legend_below(axes, {0: "declined", 1: "found unsafe"})
        name_rows(axes, [row.name for row in rows])
        percent_axis(axes, "share of benign queries, %", ceiling(highs), labels=True)

    return Figure(
        "over-refusal",
        "Benign queries: declined, and found unsafe",
        caption,
        FigureTable(
            (
                *("target", "run", "over_refusal", "over_refusal_low", "over_refusal_high", "n"),
                *("benign_unsafe", "benign_unsafe_low", "benign_unsafe_high", "benign_unsafe_n"),
            ),
            tuple(
                (
                    *(row.name, row.run, one.value, *ends_of(one.interval), one.n),
                    *(two.value, *ends_of(two.interval), two.n),
                )
                for row, (one, two) in zip(rows, refused, strict=True)
            ),
        ),
        (7.5, height_of(len(rows), 0.46, 1.8)),
        draw,
    )
