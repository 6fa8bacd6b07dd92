"""Attack success rates by what is known of the models: family, backbone."""

# pyright: reportUnknownMemberType=false

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from ....common.text import natural_order, points
from ...leaderboard import Leaderboard, LeaderboardRow
from .._canvas import ceiling, label, percent_axis
from .._figure import Figure, FigureTable, LeftOut
from .._palette import light, marker, series
from ._parts import WILSON, ends_of, few_said, height_of, n_of, pale, value_at, whisker

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

Groups = Mapping[str, Sequence[LeaderboardRow]]


def family_dots(board: Leaderboard) -> Figure | LeftOut:
    """Return the attack success rates by family of models."""
    return _dots(board, "family", "family", lambda row: row.facts.family)


def backbone_dots(board: Leaderboard) -> Figure | LeftOut:
    """Return the attack success rates by the language model that targets were made from."""
    return _dots(board, "backbone", "backbone", lambda row: row.facts.backbone)


def plain_rows(board: Leaderboard) -> list[LeaderboardRow]:
    """Return the rows with a rate whose queries were put as they are."""
    return [
        row for row in board.rows if row.summary.asr.micro is not None and not row.summary.condition
    ]


def _dots(
    board: Leaderboard, name: str, kind: str, of: Callable[[LeaderboardRow], str | None]
) -> Figure | LeftOut:
    rows = plain_rows(board)
    groups = _grouped(rows, of)
    known = [row for group in groups.values() for row in group]
    if len(groups) < 2:
        had = "one" if groups else "none"
        return LeftOut(
            name,
            f"it takes targets of two known {_plural(kind)}, and there is {had}: say facts.{kind} "
            "of targets in the config",
        )
    unknown = len(rows) - len(known)
    numbers = [row.summary.asr.n for row in known]
    caption = (
        f"Share of harmful cases that the jury found unsafe, by {_said(kind)}; groups are in the "
        f"order of their mean (diamonds, each target weighing the same). Lines are {WILSON}; "
        f"{n_of(numbers)}."
        + (f" {unknown} of {len(rows)} targets are of unknown {kind}." if unknown else "")
        + few_said(numbers)
    )

    def draw(canvas: "Canvas") -> None:
        _draw(canvas, groups)

    return Figure(
        name,
        f"Attack success rate by {_said(kind)}",
        caption,
        FigureTable(
            (kind, "target", "size_b", "released", "asr", "asr_low", "asr_high", "n"),
            tuple(
                (
                    *(group, row.name, row.facts.size_b, row.facts.released),
                    *(row.summary.asr.micro, *ends_of(row.summary.asr.interval)),
                    row.summary.asr.n,
                )
                for group, members in groups.items()
                for row in members
            ),
        ),
        (7.5, height_of(len(known) + len(groups), 0.26)),
        draw,
    )


def _said(kind: str) -> str:
    return "language model behind it" if kind == "backbone" else "family of models"


def _plural(kind: str) -> str:
    return "families" if kind == "family" else f"{kind}s"


def _grouped(
    rows: Sequence[LeaderboardRow], of: Callable[[LeaderboardRow], str | None]
) -> dict[str, list[LeaderboardRow]]:
    groups: dict[str, list[LeaderboardRow]] = {}
    for row in rows:
        if (key := of(row)) is not None:
            groups.setdefault(key, []).append(row)
    return dict(sorted(groups.items(), key=lambda item: (_mean(item[1]), natural_order(item[0]))))


def _mean(rows: Sequence[LeaderboardRow]) -> float:
    return fmean(row.summary.asr.micro or 0.0 for row in rows)


def _draw(canvas: "Canvas", groups: Groups) -> None:
    axes = canvas.add_subplot()
    names: list[str] = []
    heads: list[int] = []
    highs: list[float] = []
    for which, (group, rows) in enumerate(groups.items()):
        heads.append(len(names))
        if heads[-1]:
            axes.axhline(heads[-1] - 0.5, color=light("grid"), linewidth=0.8, zorder=0)
        if len(rows) > 1:
            axes.plot([_mean(rows)], [len(names)], "D", markersize=6, color=light("ink"))
        names.append(label(group))
        for row in rows:
            asr = row.summary.asr
            at, value = len(names), asr.micro or 0.0
            whisker(axes, at, asr.interval, color=series(which))
            axes.plot(
                [value],
                [at],
                marker(which),
                color=series(which),
                markersize=6,
                alpha=pale(asr.n),
                zorder=4,
            )
            high = max(value, *(asr.interval or ()))
            value_at(axes, at, high, points(value))
            highs.append(high)
            names.append(label(row.name))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    for at in heads:
        axes.get_yticklabels()[at].set_fontweight("bold")
    percent_axis(axes, "attack success rate, %", ceiling(highs), labels=True)
