"""Draws the figures of a leaderboard; matplotlib is imported when one is drawn."""

from ._all import FIGURES, figures_of
from ._canvas import require_matplotlib
from ._figure import Figure, Figures, FigureTable, LeftOut
from ._palette import PALETTE, css_variables

__all__ = [
    "FIGURES",
    "PALETTE",
    "Figure",
    "FigureTable",
    "Figures",
    "LeftOut",
    "css_variables",
    "figures_of",
    "require_matplotlib",
]
