"""Writes the charts of a page: as files to be downloaded, and as trees that a page builds."""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any

from ...common import ConfigurationError
from ..figures import Figure, figures_of, require_matplotlib
from ._source import PageSource

_WIDE = 1.7
"""From this ratio of width to height on, a chart takes the whole width."""


_FORMS: dict[str, Callable[[Figure], bytes]] = {
    "svg": lambda figure: figure.svg().encode(),
    "png": Figure.png,
    "csv": lambda figure: figure.csv().encode(),
}


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
                "tree": _tree(ET.fromstring(figure.svg()), figure.title),
            }
            for figure in _drawn(source)[0]
        ]
    }


def figure_files(source: PageSource) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the charts by their place in a page."""
    for figure in _drawn(source)[0]:
        for form, draw in _FORMS.items():
            yield f"figures/{figure.name}.{form}", draw(figure)


def figure_file(source: PageSource, name: str) -> bytes | None:
    """Return a file of a chart by its name in `figures/`, None where there is none."""
    chart, _, form = name.rpartition(".")
    found = (figure for figure in _drawn(source)[0] if figure.name == chart)
    return _FORMS[form](figure) if form in _FORMS and (figure := next(found, None)) else None


def _drawn(source: PageSource) -> tuple[list[Figure], str | None]:
    if not any(row.summary.verdicts for row in source.leaderboard.rows):
        return [], None
    figures = list(figures_of(source.leaderboard))
    try:
        require_matplotlib()
    except ConfigurationError as error:
        return [], f"There are no charts on this page: {error}"
    return figures, None


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
