"""Attack success rates against the size of models, and against the time of their release."""

# pyright: reportUnknownMemberType=false

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ....common.text import many
from ...leaderboard import Leaderboard, LeaderboardRow
from .._canvas import ceiling, label, ticks_to
from .._figure import Figure, FigureTable, LeftOut
from .._palette import light, marker, series
from ._by_facts import plain_rows
from ._parts import WILSON, ends_of, few_said, n_of, pale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_SIZE = (9.0, 6.4)
_PLACE = (0.075, 0.1, 0.88, 0.82)
"""The axes on the canvas: fixed, since labels are placed by where points come to lie."""
_FONT = 7.5
_LETTER = 0.6
"""Width of a letter over its height, on the wide side."""
_SHIFTS = (0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 4.0, -4.0, 5.0, -5.0)
"""How far a label may be from its point, in lines."""


@dataclass(frozen=True, slots=True)
class _Point:
    row: LeaderboardRow
    across: float
    up: float
    which: int


def size_scatter(board: Leaderboard) -> Figure | LeftOut:
    """Return the attack success rates against the billions of parameters."""

    def place(row: LeaderboardRow) -> float | None:
        return row.facts.size_b

    found = _known(board, place)
    if len(found) < 2:
        return LeftOut(
            "size",
            f"it takes two targets of known size, and there {_are(len(found))}: say facts.size_b "
            "of targets in the config",
        )
    return _figure(
        board,
        found,
        "size",
        "Attack success rate against size",
        "against billions of parameters, on a logarithmic scale",
        lambda axes: _size_axis(axes, [size for _, size in found]),
    )


def release_scatter(board: Leaderboard) -> Figure | LeftOut:
    """Return the attack success rates against the date of release."""

    def place(row: LeaderboardRow) -> float | None:
        return _day(row.facts.released or "")

    found = _known(board, place)
    if len({day for _, day in found}) < 2:
        return LeftOut(
            "released",
            "it takes targets of two known dates of release: say facts.released of targets in the "
            "config",
        )
    return _figure(
        board,
        found,
        "released",
        "Attack success rate by date of release",
        "by date of release; where only the month is known, its middle",
        lambda axes: _date_axis(axes, [day for _, day in found]),
    )


def _are(number: int) -> str:
    return ("is none", "is one")[number]


def _known(
    board: Leaderboard, place: Callable[[LeaderboardRow], float | None]
) -> list[tuple[LeaderboardRow, float]]:
    placed = ((row, place(row)) for row in plain_rows(board))
    return [(row, at) for row, at in placed if at is not None]


def _day(released: str) -> float | None:
    """Return a date as a number of days, of a month the middle; None where less is known."""
    parts = [int(part) for part in released.split("-") if part]
    if len(parts) < 2:
        return None
    year, month, day = (*parts, 15)[:3]
    return float(date(year, month, day).toordinal())


def _figure(
    board: Leaderboard,
    found: Sequence[tuple[LeaderboardRow, float]],
    name: str,
    title: str,
    how: str,
    scale: Callable[["Axes"], None],
) -> Figure:
    families = _families([row for row, _ in found])
    numbers = [row.summary.asr.n for row, _ in found]
    unknown = len(plain_rows(board)) - len(found)
    lines = any(len(rows) > 1 for rows in _lines(found, families).values())
    caption = (
        f"Share of harmful cases that the jury found unsafe, {how}. Vertical lines are {WILSON}; "
        f"{n_of(numbers)}."
        + (" Lines join targets of one family." if lines else "")
        + (f" {many(unknown, 'target is', 'targets are')} not shown." if unknown else "")
        + few_said(numbers)
    )

    def draw(canvas: "Canvas") -> None:
        canvas.set_layout_engine("none")
        axes = canvas.add_axes(_PLACE)
        scale(axes)
        highest = ceiling([max(row.summary.asr.interval or (0.0,)) for row, _ in found])
        ticks = ticks_to(highest)
        axes.set_ylim(-0.03 * highest, highest)
        axes.set_yticks(ticks, [f"{100 * tick:g}" for tick in ticks])
        axes.set_ylabel("attack success rate, %")
        axes.grid(axis="both")
        spots = [
            _Point(row, at, row.summary.asr.micro or 0.0, families.get(row.facts.family or "", 0))
            for row, at in found
        ]
        for members in _lines(found, families).values():
            across, up = zip(
                *((at, row.summary.asr.micro or 0.0) for row, at in members), strict=True
            )
            which = families[members[0][0].facts.family or ""]
            axes.plot(across, up, color=series(which), linewidth=1.2, linestyle="--", zorder=2)
        for spot in spots:
            _point(axes, spot)
        _write_names(axes, spots)

    return Figure(
        name,
        title,
        caption,
        FigureTable(
            (
                *("target", "family", "backbone", "size_b", "released"),
                *("asr", "asr_low", "asr_high", "n"),
            ),
            tuple(
                (
                    *(row.name, row.facts.family, row.facts.backbone),
                    *(row.facts.size_b, row.facts.released, row.summary.asr.micro),
                    *(*ends_of(row.summary.asr.interval), row.summary.asr.n),
                )
                for row, _ in sorted(found, key=lambda one: one[1])
            ),
        ),
        _SIZE,
        draw,
    )


def _families(rows: Sequence[LeaderboardRow]) -> dict[str, int]:
    return {
        name: at for at, name in enumerate(dict.fromkeys(row.facts.family or "" for row in rows))
    }


def _lines(
    found: Sequence[tuple[LeaderboardRow, float]], families: Mapping[str, int]
) -> dict[str, list[tuple[LeaderboardRow, float]]]:
    """Return the targets of each known family, from left to right."""
    joined: dict[str, list[tuple[LeaderboardRow, float]]] = {name: [] for name in families if name}
    for row, at in sorted(found, key=lambda one: (one[1], one[0].summary.asr.micro or 0.0)):
        if row.facts.family:
            joined[row.facts.family].append((row, at))
    return {name: members for name, members in joined.items() if members}


def _point(axes: "Axes", spot: _Point) -> None:
    color, asr = series(spot.which), spot.row.summary.asr
    if asr.interval is not None:
        ends = [spot.across, spot.across]
        axes.plot(ends, asr.interval, color=color, linewidth=1.0, alpha=0.45, zorder=1)
    axes.plot(
        [spot.across],
        [spot.up],
        marker(spot.which),
        color=color,
        markersize=7,
        alpha=pale(asr.n),
        zorder=4,
        clip_on=False,
    )


def _write_names(axes: "Axes", spots: Sequence[_Point]) -> None:
    """Write the name of each point beside it, where nothing else is written yet."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    scale = 72 / figure.dpi
    line = _FONT * 1.25
    right_end = axes.bbox.x1 * scale
    taken: list[tuple[float, float, float, float]] = []
    marks = [
        tuple(float(each) * scale for each in axes.transData.transform((spot.across, spot.up)))
        for spot in spots
    ]
    taken += [(x - 4, y - 4, x + 4, y + 4) for x, y in marks]
    order = sorted(range(len(spots)), key=lambda at: (-marks[at][1], marks[at][0]))
    for at in order:
        text = label(spots[at].row.name, 30)
        width = len(text) * _FONT * _LETTER
        x, y = marks[at]
        tried = [
            (shift * line, side)
            for shift in _SHIFTS
            for side in (1, -1)
            if side < 0 or x + 8 + width < right_end + 12
        ]
        shift, side = min(
            tried, key=lambda one: (_overlap(_box(x, y, width, line, *one), taken), abs(one[0]))
        )
        taken.append(_box(x, y, width, line, shift, side))
        axes.annotate(
            text,
            (spots[at].across, spots[at].up),
            xytext=(8 * side, shift),
            textcoords="offset points",
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=_FONT,
            zorder=5,
            annotation_clip=False,
            bbox={
                "boxstyle": "square,pad=0.1",
                "facecolor": light("paper"),
                "edgecolor": "none",
                "alpha": 0.7,
            },
            arrowprops={
                "arrowstyle": "-",
                "color": light("muted"),
                "linewidth": 0.6,
                "shrinkA": 0,
                "shrinkB": 3,
            }
            if shift
            else None,
        )


def _box(
    x: float, y: float, width: float, line: float, shift: float, side: int
) -> tuple[float, float, float, float]:
    left = x + 8 if side > 0 else x - 8 - width
    return left, y + shift - line / 2, left + width, y + shift + line / 2


def _overlap(
    box: tuple[float, float, float, float], taken: Sequence[tuple[float, float, float, float]]
) -> float:
    """Return the area that is taken already, rounded so that distance decides between likes."""
    area = 0.0
    for other in taken:
        wide = min(box[2], other[2]) - max(box[0], other[0])
        high = min(box[3], other[3]) - max(box[1], other[1])
        if wide > 0 and high > 0:
            area += wide * high
    left_out = max(0.0, 8 - box[0]) * 20
    return round(area + left_out)


def _size_axis(axes: "Axes", sizes: Sequence[float]) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    axes.set_xscale("log")
    low, high = min(sizes) / 1.35, max(sizes) * 1.6
    axes.set_xlim(low, high)
    marks = [0.1, 0.2, 0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 500, 1000, 2000]
    shown = [mark for mark in marks if low <= mark <= high]
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{mark:g}" for mark in shown])
    axes.set_xlabel("billions of parameters")


def _date_axis(axes: "Axes", days: Sequence[float]) -> None:
    first, last = min(days), max(days)
    margin = max(20.0, (last - first) * 0.06)
    axes.set_xlim(first - margin, last + 3 * margin)
    begun, ended = date.fromordinal(int(first - margin)), date.fromordinal(int(last + 3 * margin))
    months = [
        date(year, month, 1)
        for year in range(begun.year, ended.year + 1)
        for month in range(1, 13)
        if begun <= date(year, month, 1) <= ended
    ]
    every = max(1, -(-len(months) // 9))
    step = next(each for each in (1, 2, 3, 6, 12, 1000) if each >= every)
    shown = [day for day in months if (day.month - 1) % step == 0] or months[:1]
    axes.set_xticks([day.toordinal() for day in shown], [f"{day:%Y-%m}" for day in shown])
    axes.set_xlabel("released")
