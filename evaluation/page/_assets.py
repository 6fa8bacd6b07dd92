"""The files of a page that are the same for all runs."""

from collections.abc import Iterator
from pathlib import Path

SCRIPTS = (
    "pieces.js",
    "dom.js",
    "app.js",
)
"""In the order in which they are loaded; each adds to one name, `safejury`."""
_OTHERS = ("app.css", "icon.svg")
_STATIC = Path(__file__).parent / "static"


def assets() -> Iterator[tuple[str, bytes]]:
    """Yield the files by their place in a page: `index.html`, and those in `assets/`."""
    yield "index.html", (_STATIC / "index.html").read_bytes()
    for name in (*_OTHERS, *SCRIPTS):
        yield f"assets/{name}", (_STATIC / "assets" / name).read_bytes()
