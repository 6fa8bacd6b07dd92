"""Our attack success rates beside those that the SafeBench paper published."""

# pyright: reportUnknownMemberType=false

from typing import TYPE_CHECKING

from ....common.text import points
from ...leaderboard import ANOTHER_JUDGE, Leaderboard, matched_rows, published_table
from .._canvas import ceiling, name_rows, percent_axis
from .._figure import Figure, FigureTable, LeftOut
from .._palette import light, series
from ._parts import ends_of, few_said, height_of, legend_below, n_of, pale, value_at, whisker

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas


def beside_paper(board: Leaderboard) -> Figure | LeftOut:
    """Return our macro attack success rates beside the paper's."""
    matched = [one for one in matched_rows(board) if one[0].summary.asr.macro is not None]
    if not matched:
        known = len(published_table().targets)
        return LeftOut(
            "paper", f"no target with a verdict is one of the paper's {known}, by its model's name"
        )
    numbers = [row.summary.asr.n for row, _ in matched]
    caption = (
        f"{ANOTHER_JUDGE} Both are means of the categories' rates. Lines are 95 % intervals of "
        f"ours (Wilson's, at the number of cases that tell as much); the paper prints none. Ours: "
        f"{n_of(numbers)}; the paper's: n = {matched[0][1].average.n:,} queries each. Paper: "
        f"{published_table().source}." + few_said(numbers)
    )

    def draw(canvas: "Canvas") -> None:
        axes = canvas.add_subplot()
        highs: list[float] = []
        for place, (row, theirs) in enumerate(matched):
            asr, paper = row.summary.asr, theirs.average.asr
            value = asr.macro or 0.0
            axes.plot([value, paper], [place, place], color=light("grid"), linewidth=4, zorder=1)
            whisker(axes, place, asr.macro_interval)
            axes.plot(
                [value],
                [place],
                "o",
                color=series(0),
                markersize=7,
                alpha=pale(asr.n),
                zorder=4,
                clip_on=False,
                label=None if place else "this jury",
            )
            axes.plot(
                [paper],
                [place],
                "D",
                color=series(1),
                markerfacecolor="none",
                markeredgewidth=1.8,
                markersize=7,
                zorder=5,
                clip_on=False,
                label=None if place else "the paper's judge",
            )
            high = max(value, paper, *(asr.macro_interval or ()))
            value_at(axes, place, high, f"{points(value)} / {points(paper)}")
            highs.append(high)
        name_rows(axes, [row.name for row, _ in matched])
        percent_axis(
            axes, "attack success rate, mean of categories, %", ceiling(highs), labels=True
        )
        legend_below(axes, {})

    return Figure(
        "paper",
        "Beside the paper's figures, which are another judge's",
        caption,
        FigureTable(
            (
                *("target", "run", "asr_macro", "asr_macro_low", "asr_macro_high", "n"),
                *("paper_asr", "asr_difference", "paper_n"),
            ),
            tuple(
                (
                    *(row.name, row.run, asr.macro, *ends_of(asr.macro_interval), asr.n),
                    *(theirs.average.asr, _less(asr.macro, theirs.average.asr)),
                    theirs.average.n,
                )
                for row, theirs in matched
                for asr in (row.summary.asr,)
            ),
        ),
        (7.8, height_of(len(matched), 0.32, 1.8)),
        draw,
    )


def _less(ours: float | None, theirs: float) -> float | None:
    return None if ours is None else round(ours - theirs, 12)
