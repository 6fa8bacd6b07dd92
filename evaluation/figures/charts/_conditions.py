"""Attack success rates under each condition: what is done to pictures, what is sent of sound."""

# pyright: reportUnknownMemberType=false

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ....common.text import natural_order, points
from ...leaderboard import Leaderboard, LeaderboardRow
from .._canvas import ceiling, name_rows, percent_axis
from .._figure import Figure, FigureTable, LeftOut
from ._parts import WILSON, bar, ends_of, few_said, legend_below, n_of, value_at

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

_SOUND = ("text", "audio", "audio+text")
_PLAIN = {"image": "original", "sound": "given"}
_HEIGHT = 0.17


def image_bars(board: Leaderboard) -> Figure | LeftOut:
    """Return the attack success rates by what was done to the pictures."""
    return _bars(
        board,
        "image-conditions",
        "Attack success rate by what was done to the pictures",
        "image",
        lambda condition: condition not in _SOUND and "," not in condition,
        "the runs show all pictures as they are: give `images:` in a config",
    )


def sound_bars(board: Leaderboard) -> Figure | LeftOut:
    """Return the attack success rates by what was sent of queries with sound."""
    return _bars(
        board,
        "sound-conditions",
        "Attack success rate by what was sent of queries with sound",
        "sound",
        lambda condition: condition in _SOUND,
        "the runs send queries with sound as they are: give `sound:` in a config",
    )


def _bars(
    board: Leaderboard,
    name: str,
    title: str,
    kind: str,
    belongs: Callable[[str], bool],
    why_not: str,
) -> Figure | LeftOut:
    known = [row for row in board.rows if row.summary.asr.micro is not None]
    changed = {row.summary.condition for row in known if row.summary.condition}
    wanted = sorted((each for each in changed if belongs(each)), key=natural_order)
    if not wanted:
        return LeftOut(name, why_not)
    conditions = ["", *wanted]
    groups: dict[tuple[str, str], list[LeaderboardRow]] = {}
    for row in known:
        if row.summary.condition in conditions:
            groups.setdefault((row.run, row.summary.target), []).append(row)
    groups = {
        key: sorted(rows, key=lambda row: conditions.index(row.summary.condition))
        for key, rows in groups.items()
        if any(row.summary.condition for row in rows)
    }
    shown = [row for rows in groups.values() for row in rows]
    numbers = [row.summary.asr.n for row in shown]
    uneven = len({*numbers}) > 1
    caption = (
        f"Share of harmful cases that the jury found unsafe, under each condition. Lines are "
        f"{WILSON}; {n_of(numbers)}."
        + (
            " Where n differs, a condition left out queries to which it does not apply: compare "
            "with care."
            if uneven
            else ""
        )
        + few_said(numbers, "Pale bars")
    )

    def draw(canvas: "Canvas") -> None:
        _draw(canvas, groups, conditions, _PLAIN[kind])

    return Figure(
        name,
        title,
        caption,
        FigureTable(
            ("target", "run", "condition", "asr", "asr_low", "asr_high", "n"),
            tuple(
                (
                    *(row.summary.target, row.run, row.summary.condition or _PLAIN[kind]),
                    *(row.summary.asr.micro, *ends_of(row.summary.asr.interval)),
                    row.summary.asr.n,
                )
                for row in shown
            ),
        ),
        (7.5, 1.9 + len(groups) * (0.12 + _HEIGHT * len(conditions))),
        draw,
    )


def _draw(
    canvas: "Canvas",
    groups: dict[tuple[str, str], list[LeaderboardRow]],
    conditions: Sequence[str],
    plain: str,
) -> None:
    axes = canvas.add_subplot()
    several = len({run for run, _ in groups}) > 1
    each = 0.86 / len(conditions)
    highs: list[float] = []
    for place, rows in enumerate(groups.values()):
        for row in rows:
            which = conditions.index(row.summary.condition)
            at = place + (which - (len(conditions) - 1) / 2) * each
            asr = row.summary.asr
            bar(axes, at, asr.micro or 0.0, asr.interval, n=asr.n, height=each * 0.9, which=which)
            high = max(asr.micro or 0.0, *(asr.interval or ()))
            value_at(axes, at, high, points(asr.micro), size=6.5)
            highs.append(high)
    name_rows(axes, [f"{target} ({run})" if several else target for run, target in groups])
    percent_axis(axes, "attack success rate, %", ceiling(highs), labels=True)
    legend_below(axes, {which: each or plain for which, each in enumerate(conditions)})
