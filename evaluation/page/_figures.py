"""Writes the charts of a page: as files to be downloaded, and as trees that a page builds."""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any

from ...common import ConfigurationError
from ..figures import Figure, figures_of, require_matplotlib
from ._source import PageSource

_WIDE = 1.7
"""From this ratio of width to height on, a chart takes the whole width."""


def figure_names(source: PageSource) -> dict[str, Any]:
    """Return the names of the charts, and why there are none."""
    drawn, missing = _drawn(source)
    return {
        "figures": [{"name": figure.name, "title": figure.title} for figure in drawn],
        "figures_missing": missing,
    }


def figures_data(source: PageSource) -> dict[str, Any]:
    """Return the charts as plain data."""
    return {
        "figures": [
            {
                "name": figure.name,
                "title": figure.title,
                "caption": figure.caption,
                "wide": figure.size[0] / figure.size[1] >= _WIDE,
                "tree": _tree(ET.fromstring(_svg(source, figure)), figure.title),
            }
            for figure in _drawn(source)[0]
        ]
    }


def figure_files(source: PageSource) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the charts by their place in a page."""
    for figure in _drawn(source)[0]:
        for suffix, write in _WRITTEN.items():
            yield f"figures/{figure.name}.{suffix}", write(source, figure)


def figure_file(source: PageSource, name: str) -> bytes | None:
    """Return a chart as a file, such as `radar.png`; None where there is no such chart."""
    stem, _, suffix = name.rpartition(".")
    found = next((figure for figure in _drawn(source)[0] if figure.name == stem), None)
    return _WRITTEN[suffix](source, found) if found and suffix in _WRITTEN else None


def _drawn(source: PageSource) -> tuple[list[Figure], str | None]:
    if not any(row.summary.verdicts for row in source.leaderboard.rows):
        return [], None
    figures = list(figures_of(source.leaderboard))
    try:
        require_matplotlib()
    except ConfigurationError as error:
        return [], f"There are no charts on this page: {error}"
    return figures, None


def _svg(source: PageSource, figure: Figure) -> str:
    """Draw a chart once for all that is made of it."""
    if figure.name not in source.drawings:
        source.drawings[figure.name] = figure.svg()
    return source.drawings[figure.name]


_WRITTEN: dict[str, Callable[[PageSource, Figure], bytes]] = {
    "svg": lambda source, figure: _svg(source, figure).encode(),
    "png": lambda source, figure: figure.png(),
    "csv": lambda source, figure: figure.csv().encode(),
}


def _tree(element: ET.Element, title: str) -> list[Any]:
    """Return an element as a list of its name, attributes and children, without namespaces.

    The title that is drawn is left out: a page has it as a heading.
    """
    attributes = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
    children: list[Any] = [element.text] if element.text else []
    for child in element:
        if child.tag.endswith("}text") and child.text == title:
            continue
        children.append(_tree(child, title))
        if child.tail:
            children.append(child.tail)
    return [element.tag.rpartition("}")[2], attributes, *children]
