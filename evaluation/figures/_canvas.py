"""Draws on matplotlib's own objects, in one thread at a time, the same bytes every time."""

# pyright: reportUnknownMemberType=false
# (matplotlib's own types say nothing of its many keyword arguments)

import warnings
from collections.abc import Callable, Collection, Sequence
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any

from ...common import require
from ...common.text import escape_line
from ._palette import light

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

FONT = "DejaVu Sans"
"""The widest of the usual fonts, which matplotlib brings: what fits in it fits in others."""
DPI = 150
"""Pixels an inch of a PNG."""
_POINTS = 72
_LONGEST = 38
"""Most characters of a label."""
_LOCK = Lock()
"""matplotlib's settings are those of the whole process."""
_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None, "Type": None, "Format": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def _style() -> "dict[RcKeyType, Any]":
    ink, muted = light("ink"), light("muted")
    return {
        "svg.fonttype": "none",
        "pdf.fonttype": 42,
        "font.family": [FONT],
        "font.size": 9,
        "text.color": ink,
        "text.parse_math": False,
        "text.usetex": False,
        "axes.labelcolor": ink,
        "axes.edgecolor": muted,
        "axes.facecolor": "none",
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.labelsize": 9,
        "axes.titlesize": 9.5,
        "axes.titlelocation": "left",
        "grid.color": light("grid"),
        "grid.linewidth": 0.7,
        "hatch.linewidth": 0.7,
        "xtick.color": muted,
        "ytick.color": muted,
        "xtick.labelcolor": ink,
        "ytick.labelcolor": ink,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "figure.facecolor": light("paper"),
        "savefig.facecolor": light("paper"),
        "figure.constrained_layout.h_pad": 0.06,
        "figure.constrained_layout.w_pad": 0.06,
    }


def require_matplotlib() -> None:
    """Check that figures can be drawn.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    require("drawing figures", "matplotlib")


def render(
    draw: "Callable[[Figure], None]",
    size: tuple[float, float],
    title: str,
    kinds: Collection[str],
) -> dict[str, bytes]:
    """Draw a figure once, and return it as files by their kind.

    Args:
        draw: Draws on the empty canvas.
        size: Width and height in inches.
        title: What stands above it.
        kinds: Of `svg`, `png` and `pdf`.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    require_matplotlib()
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with _LOCK, mpl.rc_context(_style()), warnings.catch_warnings():
        # Letters that the font lacks are boxes in a PNG; the SVG and the table have them.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure = Figure(figsize=size, dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
        _lay_out(figure)
        return {kind: _saved(figure, kind) for kind in kinds}


def _lay_out(figure: "Figure") -> None:
    """Find the place of all axes, once for all kinds of files."""
    for axes in figure.axes:
        for inside in (*axes.lines, *axes.patches, *axes.collections):
            inside.set_in_layout(False)  # they are within the axes, and many
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


def _saved(figure: "Figure", kind: str) -> bytes:
    """Return a figure as a file; `savefig` would draw it twice."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    content = BytesIO()
    figure.set_dpi(DPI if kind == "png" else _POINTS)
    if kind == "png":
        FigureCanvasAgg(figure).print_png(content, metadata=_METADATA[kind])
    elif kind == "svg":
        FigureCanvasSVG(figure).print_svg(content, metadata=_METADATA[kind])
    else:
        FigureCanvasPdf(figure).print_pdf(content, metadata=_METADATA[kind])
    return content.getvalue()


def label(text: str, longest: int = _LONGEST) -> str:
    """Return a name as it is drawn: on one line, and not too long.

    A long one is cut in its middle, since what tells two apart is often at the end, as the size of
    a model or the condition under which it was asked.
    """
    text = escape_line(text)
    if len(text) <= longest:
        return text
    tail = longest // 2
    return f"{text[: longest - tail - 1]}\N{HORIZONTAL ELLIPSIS}{text[-tail:]}"


def name_rows(axes: "Axes", names: Sequence[str], longest: int = _LONGEST) -> None:
    """Name the rows of a chart, the first on top."""
    axes.set_yticks(range(len(names)), [label(name, longest) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def percent_axis(axes: "Axes", text: str, highest: float = 1.0, *, labels: bool = False) -> None:
    """Let the x axis go from 0 to `highest`, a share, and name it.

    Args:
        axes: The axes.
        text: Its name.
        highest: Where the ticks end.
        labels: Whether there is room for values to the right of bars.
    """
    ticks = ticks_to(highest)
    axes.set_xlim(0, highest * (1.09 if labels else 1.0))
    axes.set_xticks(ticks, [f"{100 * tick:g}" for tick in ticks])
    axes.set_xlabel(text)
    axes.grid(axis="x")


def ticks_to(highest: float) -> list[float]:
    """Return the ticks of an axis of shares that ends where `ceiling` says."""
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if highest / step <= 5.01)
    return [at * step for at in range(round(highest / step) + 1)]


def ceiling(shares: Sequence[float]) -> float:
    """Return where an axis of shares ends that has to hold these."""
    highest = max(shares, default=0.0)
    return next((end for end in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.8) if highest < end * 0.95), 1.0)
