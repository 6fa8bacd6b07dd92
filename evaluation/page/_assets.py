"""The files of a page that are the same for all runs."""

from collections.abc import Iterator
from pathlib import Path

from ..figures import PALETTE

_SCRIPTS = (
    "pieces.js",
    "dom.js",
    "words.js",
    "table.js",
    "seats.js",
    "index.js",
    "filter.js",
    "reveal.js",
    "figures.js",
    "jury.js",
    "overview.js",
    "cases.js",
    "conversation.js",
    "case.js",
    "app.js",
    "live.js",
)
"""In the order in which they are loaded; each adds to one name, `safejury`."""
_AS_THEY_ARE = ("app.css", "icon.svg", "theme.js", *_SCRIPTS)
_STATIC = Path(__file__).parent / "static"
_PLACE = "<!-- scripts -->"


def assets() -> Iterator[tuple[str, bytes]]:
    """Yield the files by their place in a page: `index.html`, and those in `assets/`."""
    tags = "\n".join(f'<script src="assets/{name}"></script>' for name in _SCRIPTS)
    text = (_STATIC / "index.html").read_text(encoding="utf-8")
    yield "index.html", text.replace(_PLACE, tags).encode()
    for name in _AS_THEY_ARE:
        yield f"assets/{name}", (_STATIC / "assets" / name).read_bytes()
    yield "assets/palette.css", _palette().encode()


def _palette() -> str:
    """Return the colors of the charts, light and dark, as variables of a style sheet."""
    lines = (
        f"  --{name}: light-dark({color.light}, {color.dark});" for name, color in PALETTE.items()
    )
    return "\n".join((":root {", *lines, "}", ""))
