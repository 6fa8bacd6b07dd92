"""Writes the charts of a page as plain data."""

from collections.abc import Iterator
from typing import Any

from ._source import PageSource


def figures_data(source: PageSource) -> dict[str, Any]:
    """Return the charts, or why there are none."""
    return {"figures": [], "missing": None}


def figure_files(source: PageSource) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the charts by their place in a page."""
    yield from ()
