"""What verdicts cost, and how long calls took."""

# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ....common.text import count, dollars
from ...leaderboard import Latency, Leaderboard, LeaderboardRow
from .._canvas import name_rows
from .._figure import Figure, FigureTable, LeftOut
from .._palette import light, series
from ._parts import height_of, n_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas


def cost_bars(board: Leaderboard) -> Figure | LeftOut:
    """Return the US dollars that a verdict cost, by target."""
    rows = [row for row in board.rows if row.summary.verdicts and _each(row)]
    if not rows:
        return LeftOut("cost", "no price of a call is known, or none cost anything")
    bounds = any(row.summary.cost_usd is None for row in rows)
    caption = (
        "US dollars for a verdict: all calls for a target's cases, its own and the jury's, over "
        f"its verdicts; {n_of([row.summary.verdicts for row in rows], 'verdict')}. A sum, not a "
        "sample, so without an interval. Time of servers and calls for unfinished cases are not "
        "in it."
        + (
            " Hollow bars with \N{GREATER-THAN OR EQUAL TO}: a part of the cost is not "
            "known, so that it is at least that."
            if bounds
            else ""
        )
    )

    def draw(canvas: "Canvas") -> None:
        from matplotlib.ticker import MaxNLocator

        axes = canvas.add_subplot()
        for place, row in enumerate(rows):
            _cost(axes, place, row)
        name_rows(axes, [row.name for row in rows])
        axes.set_xlim(0, max(_each(row) for row in rows) * 1.2)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.grid(axis="x")
        axes.set_xlabel("US dollars for a verdict")

    return Figure(
        "cost",
        "Cost of a verdict by target",
        caption,
        FigureTable(
            ("target", "run", "usd_per_verdict", "is_lower_bound", "usd", "verdicts", "calls"),
            tuple(
                (
                    *(row.name, row.run, _each(row), int(row.summary.cost_usd is None)),
                    *(row.summary.cost_usd_known, row.summary.verdicts, row.summary.calls),
                )
                for row in rows
            ),
        ),
        (7.5, height_of(len(rows))),
        draw,
    )


def _each(row: LeaderboardRow) -> float:
    return row.summary.cost_usd_known / row.summary.verdicts


def _cost(axes: "Axes", place: int, row: LeaderboardRow) -> None:
    known, value = row.summary.cost_usd is not None, _each(row)
    color = series(0)
    axes.barh(place, value, 0.62, color=color if known else light("paper"), edgecolor=color)
    axes.annotate(
        dollars(value) if known else f"\N{GREATER-THAN OR EQUAL TO} {dollars(value)}",
        (value, place),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=7.5,
    )


def latency_bars(board: Leaderboard) -> Figure | LeftOut:
    """Return how long responses of targets and ballots of jurors took."""
    measured = ((row.name, board.response_times(row)) for row in board.rows)
    targets = [(name, found) for name, found in measured if found is not None]
    targets.sort(key=lambda item: (item[1].median, item[0]))
    jurors = list(board.times.ballots.items())
    both = (("responses of targets", targets), ("ballots of jurors", jurors))
    panels = [(what, rows) for what, rows in both if rows]
    if not panels:
        return LeftOut("latency", "how long calls took is not known")
    numbers = [found.n for _, rows in panels for _, found in rows]
    caption = (
        "Seconds for a response of a target, and for a ballot of a juror, on a logarithmic scale: "
        "the point is the median, the line goes from the fastest tenth to the slowest tenth of "
        f"the calls themselves (no interval of the median). {n_of(numbers, 'call')}; retries of "
        "one count together, and what was recorded elsewhere or answered from a cache in no time "
        "is not counted."
    )

    def draw(canvas: "Canvas") -> None:
        heights = [len(rows) + 1 for _, rows in panels]
        all_axes = canvas.subplots(
            len(panels), 1, sharex=True, height_ratios=heights, squeeze=False
        )[:, 0]
        for which, (axes, (what, rows)) in enumerate(zip(all_axes, panels, strict=True)):
            _times(axes, rows, which)
            axes.set_title(what)
        all_axes[-1].set_xlabel("seconds")

    return Figure(
        "latency",
        "How long calls took",
        caption,
        FigureTable(
            ("what", "name", "median_s", "fastest_tenth_s", "slowest_tenth_s", "n"),
            tuple(
                (what, name, found.median, found.low, found.high, found.n)
                for what, rows in panels
                for name, found in rows
            ),
        ),
        (7.5, height_of(sum(len(rows) for _, rows in panels), 0.3, 1.4 + 0.4 * len(panels))),
        draw,
    )


def _times(axes: "Axes", rows: Sequence[tuple[str, Latency]], which: int) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    for place, (_, found) in enumerate(rows):
        axes.plot([found.low, found.high], [place, place], color=series(which), linewidth=2)
        axes.plot([found.median], [place], "os"[which], color=series(which), markersize=6)
        axes.annotate(
            f"{found.median:.2g} s",
            (found.high, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            annotation_clip=False,
        )
    axes.set_xscale("log")
    axes.margins(x=0.08)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="x")
    name_rows(axes, [name for name, _ in rows])


def _plain(value: float, _: object) -> str:
    return f"{value:g}"


def outcome_bars(board: Leaderboard) -> Figure | LeftOut:
    """Return how the cases of each target ended: unsafe, safe, no verdict, not finished."""
    rows = [row for row in board.rows if row.summary.cases or row.summary.planned]
    if not rows:
        return LeftOut("outcomes", "no case is finished")
    totals = [max(row.summary.cases, row.summary.planned or 0) for row in rows]
    caption = (
        "How the planned cases of each target ended, harmful and benign together; a case without "
        "a verdict is neither safe nor unsafe, and in no rate. Counts, so without intervals; "
        f"{n_of(totals, 'planned case')}."
    )
    kinds = (("unsafe", "series-4", ""), ("safe", "series-3", "////"))
    rest = (("no verdict", "none", "xxxx"), ("not finished", "paper", ""))
    counted = [_counts(row, total) for row, total in zip(rows, totals, strict=True)]

    def draw(canvas: "Canvas") -> None:
        axes = canvas.add_subplot()
        for which, (text, color, marks) in enumerate((*kinds, *rest)):
            lefts = [
                sum(counts[:which]) / total for counts, total in zip(counted, totals, strict=True)
            ]
            widths = [counts[which] / total for counts, total in zip(counted, totals, strict=True)]
            if not any(widths) and which > 2:
                continue
            axes.barh(
                range(len(rows)),
                widths,
                0.66,
                left=lefts,
                color=light("paper" if marks == "////" else color),
                edgecolor=light("muted" if which > 1 else color),
                hatch=marks or None,
                linewidth=0.8,
                label=text,
            )
            for place, (left, width) in enumerate(zip(lefts, widths, strict=True)):
                _count(axes, place, left, width, counted[place][which])
        name_rows(axes, [row.name for row in rows])
        ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
        axes.set_xlim(0, 1)
        axes.set_xticks(ticks, [f"{100 * tick:g}" for tick in ticks])
        axes.set_xlabel("share of planned cases, %")
        handles, labels = axes.get_legend_handles_labels()
        canvas.legend(handles, labels, loc="outside lower center", ncols=4)

    return Figure(
        "outcomes",
        "How cases ended by target",
        caption,
        FigureTable(
            ("target", "run", "unsafe", "safe", "no_verdict", "not_finished", "planned"),
            tuple(
                (row.name, row.run, *counts, total)
                for row, counts, total in zip(rows, counted, totals, strict=True)
            ),
        ),
        (7.5, height_of(len(rows), 0.3, 1.7)),
        draw,
    )


def _count(axes: "Axes", place: int, left: float, width: float, number: int) -> None:
    """Write a count into its part of a bar, if it fits."""
    if width < 0.04:
        return
    axes.text(
        left + width / 2,
        place,
        count(number),
        ha="center",
        va="center",
        fontsize=7.5,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": light("paper"), "edgecolor": "none"},
    )


def _counts(row: LeaderboardRow, total: int) -> tuple[int, int, int, int]:
    said = row.summary.outcomes.verdicts
    ended = (said.get("unsafe", 0), said.get("safe", 0), said.get("no_verdict", 0))
    return (*ended, total - sum(ended))
