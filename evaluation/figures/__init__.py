"""Draws the figures of a leaderboard; matplotlib is imported when one is drawn."""

from ._all import FIGURES, figures_of
from ._canvas import label, require_matplotlib
from ._figure import FORMATS, Figure, Figures, FigureTable, LeftOut
from ._files import INDEX, read_formats, write_figures
from ._palette import HEAT_BOUNDS, PALETTE

__all__ = [
    "FIGURES",
    "FORMATS",
    "HEAT_BOUNDS",
    "INDEX",
    "PALETTE",
    "Figure",
    "FigureTable",
    "Figures",
    "LeftOut",
    "figures_of",
    "label",
    "read_formats",
    "require_matplotlib",
    "write_figures",
]
