"""Words and marks that several charts share."""

# pyright: reportUnknownMemberType=false

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from ....common.text import count, many
from ....datasets import load_taxonomy
from .._canvas import label
from .._palette import hatch, light, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW = 5
"""Below so many cases a rate is marked, since it says little."""
WILSON = "95 % Wilson intervals (queries that are repeated count once for what they tell)"
Ends = tuple[float, float] | None
"""An interval."""


def n_of(numbers: Iterable[int], what: str = "harmful case", plural: str | None = None) -> str:
    """Return `n = 69 harmful cases each`, or the least and the most where they differ."""
    known = sorted({*numbers})
    if len(known) == 1:
        return f"n = {many(known[0], what, plural)} each"
    return f"n = {count(known[0])} to {many(known[-1], what, plural)}"


def few_said(numbers: Iterable[int], mark: str = "Pale marks", what: str = "cases") -> str:
    """Return what is said of rates of few cases, with a space before; nothing without any."""
    return f" {mark} rest on fewer than {FEW} {what}." if any(n < FEW for n in numbers) else ""


def id_words(name: str) -> str:
    """Return a scenario or category in words: its title, or the id without underscores."""
    if name in (titles := _titles()):
        return titles[name]
    words = name.rpartition(".")[2].replace("_", " ").strip()
    return words[:1].upper() + words[1:] or name


def in_order(names: Iterable[str]) -> list[str]:
    """Sort scenarios or categories as the taxonomy has them, others behind them by name."""
    places = {name: at for at, name in enumerate(_titles())}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))


@cache
def _titles() -> dict[str, str]:
    """Return the titles of the bundled scenarios and categories by their ids."""
    taxonomy = load_taxonomy()
    found = {each.id: each.title for each in taxonomy.scenarios}
    return found | {each.id: each.title for each in taxonomy.categories}


def ends_of(interval: Ends) -> tuple[float | None, float | None]:
    """Return the two ends of an interval as cells of a table."""
    return interval or (None, None)


def pale(n: int) -> float:
    """Return how opaque the mark of a rate is, by the cases that it rests on."""
    return 0.4 if n < FEW else 1.0


def bar(
    axes: "Axes",
    at: float,
    value: float,
    interval: Ends,
    *,
    n: int,
    height: float = 0.62,
    which: int = 0,
    start: float = 0.0,
) -> None:
    """Draw a horizontal bar of a series, with its interval."""
    color, marks = series(which), hatch(which)
    axes.barh(
        at,
        value - start,
        height,
        left=start,
        color=light("paper") if marks else color,
        edgecolor=color,
        linewidth=1.0,
        hatch=marks or None,
        alpha=pale(n),
    )
    whisker(axes, at, interval)


def whisker(axes: "Axes", at: float, interval: Ends, *, color: str | None = None) -> None:
    """Draw a horizontal interval, if there is one."""
    if interval is None:
        return
    ink = color or light("ink")
    axes.plot(interval, [at, at], color=ink, linewidth=1.1, zorder=3, clip_on=False)
    axes.plot(interval, [at, at], "|", color=ink, markersize=5, zorder=3, clip_on=False)


def value_at(axes: "Axes", at: float, right: float, text: str, *, size: float = 7.5) -> None:
    """Write a value to the right of its mark."""
    axes.annotate(
        text,
        (right, at),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=size,
        annotation_clip=False,
    )


def legend_below(axes: "Axes", names: Mapping[int, str], columns: int = 6) -> None:
    """Name series below the whole figure as `bar` draws them, and what the axes name themselves.

    Args:
        axes: The axes.
        names: By the number of the series.
        columns: Most names in a line.
    """
    from matplotlib.patches import Patch

    figure = axes.get_figure(root=True)
    assert figure is not None
    handles, labels = axes.get_legend_handles_labels()
    for which, name in names.items():
        color, marks = series(which), hatch(which)
        face = light("paper") if marks else color
        handles.append(Patch(facecolor=face, edgecolor=color, hatch=marks or None))
        labels.append(name)
    columns = min(columns, len(handles))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)


class Tile(NamedTuple):
    """A cell of a map: its place, its colors and what is written in it."""

    across: int
    down: int
    color: str
    ink: str
    text: str


def tiles(axes: "Axes", cells: Sequence[Tile], columns: Sequence[str], *, size: float) -> None:
    """Draw the cells of a map, and name its columns.

    Args:
        axes: The axes.
        cells: The cells.
        columns: Names of columns.
        size: Of letters.
    """
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    squares = [Rectangle((cell.across - 0.5, cell.down - 0.5), 1, 1) for cell in cells]
    drawn = PatchCollection(
        squares,
        facecolors=[cell.color for cell in cells],
        edgecolors=light("paper"),
        linewidths=1,
    )
    axes.add_collection(drawn, autolim=False)
    for cell in cells:
        place = (cell.across, cell.down)
        axes.text(
            *place, cell.text, ha="center", va="center", color=cell.ink, fontsize=size
        ).set_in_layout(False)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_xticks(
        range(len(columns)),
        [label(name, 30) for name in columns],
        rotation=40,
        ha="right",
        rotation_mode="anchor",
    )
    axes.tick_params(axis="x", length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def height_of(rows: int, each: float = 0.3, around: float = 1.3) -> float:
    """Return the height of a chart with so many rows, in inches."""
    return around + each * max(rows, 1)
