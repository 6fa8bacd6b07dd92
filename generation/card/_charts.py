"""Draws the charts of a card, byte for byte the same for the same figures."""

# pyright: reportUnknownMemberType=false
# (matplotlib's own types say nothing of its many keyword arguments)

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ..pipeline import SetFolder
from ._items import Card, CategoryFigures, Funnel, ScenarioFigures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

CHARTS = ("scenarios", "quality", "funnel")
"""Names of the charts; each is there as SVG and as PNG."""
# Colors of Okabe and Ito, which color-blind people can distinguish.
_BLUE, _ORANGE, _GRAY, _INK = "#0072B2", "#E69F00", "#B5B5B5", "#222222"
_AXES = ("feasibility", "harmfulness", "applicability")
_ROW = 0.32
"""Height of a row in inches."""
_LONGEST = 44
"""Longest label in characters."""
_STYLE: "dict[RcKeyType, Any]" = {
    "svg.hashsalt": "safejury",
    "svg.fonttype": "path",
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": "#888888",
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.axisbelow": True,
    "text.parse_math": False,
}


def chart_files() -> tuple[str, ...]:
    """Return the files of all charts."""
    return tuple(f"charts/{name}.{kind}" for name in CHARTS for kind in ("svg", "png"))


def write_charts(folder: SetFolder, card: Card) -> None:
    """Draw all charts of a card into the set's folder."""
    import warnings

    import matplotlib as mpl

    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # A title in letters that the font lacks is drawn with boxes, which the card has in full.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        _save(folder, "scenarios", _scenarios(card.scenarios, card.balance.wanted))
        _save(folder, "quality", _quality(card.categories))
        _save(folder, "funnel", _funnel(card.funnel))


def _save(folder: SetFolder, name: str, figure: "Figure") -> None:
    nameless: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Creator": None},
        "png": {"Software": None},
    }
    for kind, metadata in nameless.items():
        content = BytesIO()
        figure.savefig(content, format=kind, metadata=metadata, dpi=150, facecolor="white")
        folder.write_bytes(f"charts/{name}.{kind}", content.getvalue())


def _figure(rows: float, width: float = 8.0) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 1.5 + _ROW * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _scenarios(scenarios: Sequence[ScenarioFigures], wanted: int) -> "Figure":
    """Draw how many queries and twins there are for each scenario."""
    figure = _figure(1.25 * len(scenarios))
    axes = figure.add_subplot()
    places = range(len(scenarios))
    for offset, color, label, counts in (
        (-0.19, _BLUE, "harmful queries", [one.counts.harmful for one in scenarios]),
        (0.19, _ORANGE, "benign twins", [one.counts.benign for one in scenarios]),
    ):
        bars = axes.barh([place + offset for place in places], counts, 0.36, color=color)
        axes.bar_label(bars, padding=2, fontsize=7)
        bars.set_label(label)
    axes.axvline(wanted, color=_INK, linewidth=1, linestyle=":", label=f"{wanted} wanted")
    _rows(axes, [one.title for one in scenarios])
    axes.set_xlim(0, max(wanted, *(_most(one) for one in scenarios), 1) * 1.08)
    _whole(axes, "items")
    figure.suptitle("Items by scenario", fontweight="bold")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def _most(scenario: ScenarioFigures) -> int:
    return max(scenario.counts.harmful, scenario.counts.benign)


def _quality(categories: Sequence[CategoryFigures]) -> "Figure":
    """Draw the panel's mean scores by category, and the paper's."""
    figure = _figure(len(categories) + 1, 9.0)
    panels = figure.subplots(1, len(_AXES), sharey=True, squeeze=False)[0]
    for axes, axis in zip(panels, _AXES, strict=True):
        for place, one in enumerate(categories):
            ours = None if one.quality is None else float(getattr(one.quality, axis))
            theirs = None if one.paper is None else float(getattr(one.paper, axis))
            _pair(axes, place, ours, theirs)
        axes.set_title(axis)
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(-0.3, 10.3)
        axes.set_xticks([0, 2, 4, 6, 8, 10])
        axes.grid(axis="x", color="#E6E6E6")
        axes.plot([], [], "o", color=_BLUE, label="this set")
        axes.plot([], [], "D", color=_ORANGE, markerfacecolor="white", label="the paper")
    _rows(panels[0], [one.title for one in categories])
    figure.suptitle("Quality of harmful queries, mean of the panel (0 to 10)", fontweight="bold")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _pair(axes: "Axes", place: int, ours: float | None, theirs: float | None) -> None:
    if ours is not None and theirs is not None:
        axes.plot([ours, theirs], [place, place], color=_GRAY, linewidth=1.5, zorder=1)
    if theirs is not None:
        axes.plot([theirs], [place], "D", color=_ORANGE, markerfacecolor="white", markersize=6)
    if ours is not None:
        axes.plot([ours], [place], "o", color=_BLUE, markersize=6)


def _funnel(funnel: Funnel) -> "Figure":
    """Draw how many proposals remain after each step."""
    written = funnel.proposed + funnel.revised
    distinct = written - funnel.duplicate
    scored = distinct - funnel.unscored
    steps = (
        ("proposed and revised", written, 0, ""),
        ("no near-duplicates", distinct, funnel.duplicate, "dropped as near-duplicates"),
        ("scored", scored, funnel.unscored, "dropped without a score"),
        ("kept", funnel.kept, funnel.passed_over, "passed over for better ones"),
    )
    figure = _figure(1.6 * len(steps))
    axes = figure.add_subplot()
    most = max(written, funnel.wanted, 1)
    for place, (_, left, dropped, why) in enumerate(steps):
        axes.barh(place, left, 0.6, color=_BLUE)
        axes.barh(place, dropped, 0.6, left=left, color=_GRAY, hatch="//", edgecolor="white")
        said = f"{left:,}" + (f"   ({dropped:,} {why})" if dropped else "")
        axes.text(left + dropped + most * 0.01, place, said, va="center", fontsize=8)
    axes.axvline(funnel.wanted, color=_INK, linewidth=1, linestyle=":")
    axes.text(funnel.wanted, -0.55, f" {funnel.wanted:,} wanted", fontsize=8, va="bottom")
    _rows(axes, [name for name, *_ in steps])
    axes.set_ylim(len(steps) - 0.5, -0.9)
    axes.set_xlim(0, most * 1.5)
    _whole(axes, "queries")
    figure.suptitle("From proposals to queries", fontweight="bold")
    return figure


def _rows(axes: "Axes", labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), [_short(label) for label in labels])
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def _whole(axes: "Axes", label: str) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.set_xlabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"
