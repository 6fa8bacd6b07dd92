"""Draws on matplotlib's own objects, in one thread at a time, the same bytes every time."""

# pyright: reportUnknownMemberType=false
# (matplotlib's own types say nothing of its many keyword arguments)

import warnings
from collections.abc import Callable, Sequence
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
_LONGEST = 38
"""Most characters of a label."""
_LOCK = Lock()
"""matplotlib's settings are those of the whole process."""
_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None, "Type": None, "Format": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def _style(salt: str) -> "dict[RcKeyType, Any]":
    ink, muted = light("ink"), light("muted")
    return {
        "svg.hashsalt": salt,
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
    kind: str,
    *,
    salt: str,
) -> bytes:
    """Draw a figure and return it as a file.

    Args:
        draw: Draws on the empty canvas.
        size: Width and height in inches.
        title: What stands above it.
        kind: `svg`, `png` or `pdf`.
        salt: What the ids in an SVG depend on beside their content.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    require_matplotlib()
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    content = BytesIO()
    with _LOCK, mpl.rc_context(_style(salt)), warnings.catch_warnings():
        # Letters that the font lacks are boxes in a PNG; the SVG and the table have them.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
        figure.savefig(content, format=kind, metadata=_METADATA[kind], dpi=DPI)
    return content.getvalue()


def label(text: str, longest: int = _LONGEST) -> str:
    """Return a name as it is drawn: on one line, and not too long."""
    text = escape_line(text)
    return text if len(text) <= longest else f"{text[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"


def name_rows(axes: "Axes", names: Sequence[str], longest: int = _LONGEST) -> None:
    """Name the rows of a chart, the first on top."""
    axes.set_yticks(range(len(names)), [label(name, longest) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def percent_axis(axes: "Axes", text: str, highest: float = 1.0) -> None:
    """Let the x axis go from 0 to `highest`, a share, and name it."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_xlim(0, highest)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(_percent))
    axes.set_xlabel(text)
    axes.grid(axis="x")


def _percent(share: float, _: object) -> str:
    return f"{100 * share:g}"


def ceiling(shares: Sequence[float]) -> float:
    """Return where an axis of shares ends that has to hold these."""
    highest = max(shares, default=0.0)
    return next((end for end in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75) if highest < end * 0.95), 1.0)
