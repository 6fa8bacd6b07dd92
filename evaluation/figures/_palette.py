"""The colors, markers and hatches of all figures.

The series are after the colors of Okabe and Ito, which colorblind people can tell apart, the
lighter ones darkened until they stand out from white; each has a marker and a hatch of its own as
well. In an SVG a color is a CSS variable whose fallback is the light one, so that a page can set
the dark ones.
"""

from typing import NamedTuple


class Color(NamedTuple):
    """A color in light and in dark surroundings, each as `#rrggbb`."""

    light: str
    dark: str


PALETTE = {
    "paper": Color("#ffffff", "#17191c"),
    "ink": Color("#1b1b1b", "#e8e8e6"),
    "muted": Color("#5f6368", "#a3a8ae"),
    "grid": Color("#dddfe2", "#3a3e43"),
    "series-1": Color("#0072b2", "#56a9dd"),
    "series-2": Color("#c07f00", "#f0b840"),
    "series-3": Color("#009e73", "#2fc79a"),
    "series-4": Color("#d55e00", "#ff8a4c"),
    "series-5": Color("#b3558f", "#e79fc6"),
    "series-6": Color("#3f7f9f", "#8ccbf2"),
    "series-7": Color("#7a6a00", "#d9cb55"),
    "series-8": Color("#6b6b6b", "#bdbdbd"),
    "none": Color("#c9ccd1", "#6d7278"),
    "heat-0": Color("#fffbee", "#22252a"),
    "heat-1": Color("#fff0c4", "#3b2a1f"),
    "heat-2": Color("#fee09a", "#5e3617"),
    "heat-3": Color("#fec563", "#86450f"),
    "heat-4": Color("#f99a32", "#b35d12"),
    "heat-5": Color("#e26914", "#de7f2a"),
    "heat-6": Color("#b64203", "#f5ab5c"),
    "heat-7": Color("#7a2b05", "#fdd9a2"),
    "heat-ink-0": Color("#1b1b10", "#e8e8e0"),
    "heat-ink-1": Color("#1b1b11", "#e8e8e1"),
    "heat-ink-2": Color("#1b1b12", "#f4f4f2"),
    "heat-ink-3": Color("#1b1b13", "#fdfdfc"),
    "heat-ink-4": Color("#1b1b14", "#fffffd"),
    "heat-ink-5": Color("#16161a", "#16161c"),
    "heat-ink-6": Color("#fefefc", "#16161b"),
    "heat-ink-7": Color("#fefefd", "#16161d"),
}
"""By the name of the CSS variable without its dashes: `series-1` is `--series-1`."""
SERIES = 8
"""How many series have a color of their own; more take theirs in turn, with another marker."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", "h", ">", "*")
HATCHES = ("", "////", "\\\\\\\\", "xxxx", "----", "||||", "++++", "//")
"""Without dots and rings, each of which takes a curve of its own in an SVG."""
HEAT_BOUNDS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
"""Shares at which the color of a heat map changes."""


def light(name: str) -> str:
    """Return a color as it is drawn, which an SVG has as the fallback of its variable."""
    return PALETTE[name].light


def series(at: int) -> str:
    """Return the color of a series, from 0 on."""
    return light(f"series-{at % SERIES + 1}")


def marker(at: int) -> str:
    """Return the marker of a series, from 0 on."""
    return MARKERS[at % len(MARKERS)]


def hatch(at: int) -> str:
    """Return the hatch of a series, from 0 on."""
    return HATCHES[at % len(HATCHES)]


def heat(share: float) -> tuple[str, str]:
    """Return the colors of a cell and of what is written in it.

    Args:
        share: In [0, 1]. A cell of 0 alone has the lightest color.
    """
    step = sum(share >= bound for bound in HEAT_BOUNDS[1:-1])
    if step == 0 and share > 0:
        step = 1
    return light(f"heat-{step}"), light(f"heat-ink-{step}")
