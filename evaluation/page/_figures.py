"""Writes the charts of a page: as files to be downloaded, and as trees that a page builds."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

from ...common import ConfigurationError
from ..figures import Figure, figures_of, require_matplotlib
from ._source import PageSource

_KINDS = ("svg", "png", "csv")
_BELOW_TITLE = 5.0
"""Points from the base line of a title to where its drawing may begin."""
_NO_CHARTS = (
    "There are no charts on this page, because matplotlib was not installed where it was written: "
    "python -m pip install 'safejury[figures]', then write it again."
)
_WIDE = 2.6
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
                "width": figure.size[0],
                "wide": figure.size[0] / figure.size[1] >= _WIDE,
                "tree": _tree(_without_title(ET.fromstring(_svg(source, figure)), figure)),
            }
            for figure in _drawn(source)[0]
        ]
    }


def figure_files(source: PageSource) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the charts by their place in a page."""
    for figure in _drawn(source)[0]:
        files = figure.files(_KINDS)
        source.drawings[figure.name] = files["svg"].decode()
        for kind, content in files.items():
            yield f"figures/{figure.name}.{kind}", content


def figure_file(source: PageSource, name: str) -> bytes | None:
    """Return a chart as a file, such as `radar.png`; None where there is no such chart."""
    stem, _, kind = name.rpartition(".")
    if kind not in _KINDS:
        return None
    found = (figure for figure in _drawn(source)[0] if figure.name == stem)
    return None if (figure := next(found, None)) is None else figure.files((kind,))[kind]


def _drawn(source: PageSource) -> tuple[list[Figure], str | None]:
    if not any(row.summary.verdicts for row in source.leaderboard.rows):
        return [], None
    figures = list(figures_of(source.leaderboard))
    try:
        require_matplotlib()
    except ConfigurationError:  # which names places on this machine
        return [], _NO_CHARTS
    return figures, None


def _svg(source: PageSource, figure: Figure) -> str:
    """Draw a chart, unless that was done."""
    if figure.name not in source.drawings:
        source.drawings[figure.name] = figure.svg()
    return source.drawings[figure.name]


def _without_title(drawing: ET.Element, figure: Figure) -> ET.Element:
    """Take the title out of a drawing, and the room above: a page has it as a heading."""
    above = 0.0
    for parent in drawing.iter():
        for child in list(parent):
            if child.tag.endswith("}text") and child.text == figure.title:
                above = float(child.get("y", 0)) + _BELOW_TITLE
                parent.remove(child)
    x, y, width, height = map(float, drawing.get("viewBox", "0 0 1 1").split())
    drawing.set("viewBox", f"{x:g} {y + above:g} {width:g} {height - above:g}")
    for size in ("width", "height"):
        drawing.attrib.pop(size, None)
    return drawing


def _tree(element: ET.Element) -> list[Any]:
    """Return an element as a list of its name, attributes and children, without namespaces."""
    attributes = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
    children: list[Any] = [element.text] if element.text else []
    for child in element:
        children.append(_tree(child))
        if child.tail:
            children.append(child.tail)
    return [element.tag.rpartition("}")[2], attributes, *children]
