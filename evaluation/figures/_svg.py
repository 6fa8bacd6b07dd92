"""Makes matplotlib's SVG fit for a page: no styles, colors as variables, a title for readers.

A page with a strict Content-Security-Policy lets no `style` take effect, so what stands in one
becomes an attribute. Ids, which matplotlib draws by chance, are numbered, and begin with the name
of the figure, since several stand in one page.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping

from ...common import escape_line
from ._canvas import FONT
from ._palette import PALETTE

_SVG, _LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_HREF = f"{{{_LINK}}}href"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
_FAMILY = f"{FONT}, Verdana, Geneva, sans-serif"
_VARIABLES = {color.light: f"var(--{name}, {color.light})" for name, color in PALETTE.items()}
_DROPPED = {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"}


def accessible_svg(drawn: str, name: str, title: str, caption: str) -> str:
    """Return an SVG for pages and files.

    Args:
        drawn: As matplotlib wrote it.
        name: Begins all its ids.
        title: What it shows.
        caption: How to read it.
    """
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _LINK)
    root = ET.fromstring(drawn)
    used = _references(root)
    ids = {old: f"{name}-{number}" for number, old in enumerate(used, 1)}
    _clean(root, ids)
    root.attrib |= {
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-caption",
        "font-family": _FAMILY,
        "stroke-linejoin": "round",
        "stroke-linecap": "butt",
    }
    for at, (tag, text) in enumerate((("title", title), ("desc", caption))):
        said = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{'caption' if at else 'title'}"})
        said.text = escape_line(text)
        root.insert(at, said)
    return ET.tostring(root, encoding="unicode") + "\n"


def _references(root: ET.Element) -> dict[str, None]:
    """Return the ids that something refers to, in order."""
    found: dict[str, None] = {}
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == _HREF:
                found[value.removeprefix("#")] = None
            found.update(dict.fromkeys(_REFERENCE.findall(value)))
    return found


def _clean(parent: ET.Element, ids: Mapping[str, str]) -> None:
    _clean_attributes(parent, ids)
    for child in list(parent):
        if child.tag in _DROPPED:
            parent.remove(child)
        else:
            _clean(child, ids)
    parent.tail = None
    if parent.text is not None and not parent.text.strip():
        parent.text = None


def _clean_attributes(element: ET.Element, ids: Mapping[str, str]) -> None:
    style = element.attrib.pop("style", "")
    for each in style.split(";"):
        key, colon, value = each.partition(":")
        if colon and key.strip() != "font-family":
            element.set(key.strip(), value.strip())
    for key, value in list(element.attrib.items()):
        if key == "id":
            if value in ids:
                element.set(key, ids[value])
            else:
                del element.attrib[key]
        elif key == _HREF:
            element.set(key, f"#{ids[value.removeprefix('#')]}")
        elif "url(#" in value:
            element.set(key, _REFERENCE.sub(lambda found: f"url(#{ids[found[1]]})", value))
        elif "#" in value:
            element.set(key, _HEX.sub(_variable, value))


def _variable(found: re.Match[str]) -> str:
    return _VARIABLES.get(found[0].lower(), found[0])
