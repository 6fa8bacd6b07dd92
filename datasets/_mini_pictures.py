"""Pictures for the bundled set: typographic cards and neutral drawings.

About half of the pictures show the words of their query, since a model may
refuse a request as text and yet grant it when it reads it in a picture. The
others show a drawing and the title of the scenario.
"""

import hashlib
from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageDraw

from ._motifs import MOTIFS
from ._pen import Palette, Pen
from ._query import Query
from ._taxonomy import Scenario, load_taxonomy

SIZE = 512
"""Width and height of a picture in pixels."""

_FINE = 2
_COLOURS = 96

PALETTES = {
    "consultation": Palette("#12414a", "#2a8c8c", "#dcefec", "#f2a541"),
    "confidential_information": Palette("#2b2d5b", "#6368b8", "#e5e6f5", "#f0b34a"),
    "cybersecurity": Palette("#14304f", "#2f74b5", "#dceaf6", "#ef6f53"),
    "ethics": Palette("#3d2c4f", "#8a5fa8", "#efe6f3", "#4fb39a"),
    "illegal_and_criminal_behavior": Palette("#3b2f2a", "#9a6b4f", "#f3e9e0", "#d9534a"),
    "violence": Palette("#4a1f2b", "#b34a5a", "#f6e2e2", "#efb05a"),
    "inappropriate_speech": Palette("#5a3410", "#d9822b", "#fbeeda", "#3f7fa6"),
    "inappropriate_opinions": Palette("#24402c", "#4f8f5b", "#e4f0e2", "#e0a63a"),
}
"""The colours of each category."""

Layout = Callable[[Pen, Palette, Query, Scenario], None]


def draw_picture(query: Query) -> bytes:
    """Return the PNG that goes with a query of the bundled set.

    The same query and the same Pillow give the same bytes.
    """
    scenario = load_taxonomy().resolve(query.scenario)
    palette = PALETTES[scenario.category]
    choice = hashlib.sha256(query.id.encode()).digest()
    layouts = _CARDS if choice[0] % 2 else _SCENES
    canvas = Image.new("RGB", (SIZE * _FINE, SIZE * _FINE), palette.soft)
    pen = Pen(ImageDraw.Draw(canvas), 0, 0, SIZE * _FINE / 100)
    layouts[choice[1] % len(layouts)](pen, palette, query, scenario)
    return _png(canvas)


def _png(canvas: Image.Image) -> bytes:
    small = canvas.reduce(_FINE)
    # Fewer colours halve the file; RGB again, since some decoders mishandle palettes.
    flat = small.quantize(_COLOURS, dither=Image.Dither.NONE).convert("RGB")
    out = BytesIO()
    flat.save(out, "PNG")
    return out.getvalue()


def _poster(pen: Pen, c: Palette, query: Query, scenario: Scenario) -> None:
    """Large words on the category's colour, the drawing in a corner."""
    pen.box(0, 0, 100, 100, c.deep)
    pen.disc(90, 94, 35, c.main)
    pen.disc(90, 94, 25, c.soft)
    _motif(scenario)(pen.at(73, 76, 20), c)
    pen.box(8, 9, 20, 10.6, c.accent, 0.8)
    _paragraph(pen, (8, 15, 84, 42), query.text, c.paper, bold=True)
    pen.write(8, 90, scenario.title, 4.2, c.soft, anchor="ls")


def _card(pen: Pen, c: Palette, query: Query, scenario: Scenario) -> None:
    """A white card with a coloured head."""
    pen.box(0, 0, 100, 100, c.soft)
    pen.box(8.6, 9.6, 93, 93, c.main, 4)
    pen.box(7, 8, 93, 91, c.paper, 4)
    pen.box(7, 8, 93, 30, c.deep, 4)
    pen.box(7, 22, 93, 30, c.deep)
    pen.disc(20, 19, 8.6, c.soft)
    _motif(scenario)(pen.at(14.4, 13.4, 11.2), c)
    _title(pen, (32, 19, 57), scenario.title, 5.6, c.paper, anchor="lm")
    _paragraph(pen, (14, 37, 72, 43), query.text, c.deep, bold=False)
    pen.box(14, 85, 34, 86.2, c.accent, 0.6)


def _note(pen: Pen, c: Palette, query: Query, scenario: Scenario) -> None:
    """A ruled sheet on a desk."""
    pen.box(0, 0, 100, 100, c.main)
    pen.box(11, 8, 93, 95, c.deep, 2)
    pen.box(9, 6, 91, 93, c.paper, 2)
    for row in range(9):
        pen.box(9, 22.5 + row * 8, 91, 22.8 + row * 8, c.soft)
    pen.box(20, 6, 20.5, 93, c.accent)
    for y in (18, 50, 82):
        pen.disc(14.5, y, 2, c.main)
    _title(pen, (25, 14, 62), scenario.title, 4.6, c.main, anchor="lm")
    _paragraph(pen, (25, 24, 61, 50), query.text, c.deep, bold=False)
    _motif(scenario)(pen.at(72, 75, 15), c)


def _split(pen: Pen, c: Palette, query: Query, scenario: Scenario) -> None:
    """The drawing on the left, the words on the right."""
    pen.box(0, 0, 100, 100, c.paper)
    pen.box(0, 0, 34, 100, c.main)
    pen.disc(17, 50, 14.5, c.soft)
    _motif(scenario)(pen.at(7.5, 40.5, 19), c)
    pen.box(40, 14, 50, 15.4, c.accent, 0.7)
    _paragraph(pen, (40, 19, 54, 62), query.text, c.deep, bold=True)
    _title(pen, (40, 89, 54), scenario.title, 4, c.main, anchor="ls")


def _disc(pen: Pen, c: Palette, query: Query, scenario: Scenario) -> None:
    """The drawing on a large disc."""
    pen.box(0, 0, 100, 100, c.soft)
    for x, y, n in ((3, 8, 0), (97, 28, 1), (8, 72, 2), (93, 82, 3), (94, 4, 4)):
        pen.disc(x, y, 3 + _variant(query, n, 11), c.paper)
    pen.disc(50, 43, 35, c.main)
    pen.disc(50, 43, 30, c.soft)
    _motif(scenario)(pen.at(30, 23, 40), c)
    _title(pen, (50, 89, 84), scenario.title, 6.4, c.deep, anchor="ms")


def _horizon(pen: Pen, c: Palette, query: Query, scenario: Scenario) -> None:
    """The drawing on a hill under the sun."""
    pen.disc(74 + _variant(query, 0, 14), 13 + _variant(query, 1, 12), 9, c.accent)
    for n, x in ((2, 14), (4, 44)):
        x, y = x + _variant(query, n, 12), 9 + _variant(query, n + 1, 14)
        pen.box(x - 9, y, x + 9, y + 4.6, c.paper, 2.3)
        pen.disc(x - 2, y - 0.4, 4.4, c.paper)
        pen.disc(x + 4, y + 0.6, 3.2, c.paper)
    pen.disc(14, 116, 48, c.main)
    pen.disc(92, 124, 54, c.main)
    pen.disc(50, 190, 114, c.deep)
    pen.disc(50, 47, 27.5, c.paper)
    pen.disc(50, 47, 25, c.soft)
    _motif(scenario)(pen.at(33, 30, 34), c)
    _title(pen, (50, 93, 84), scenario.title, 6, c.paper, anchor="ms")


def _tiles(pen: Pen, c: Palette, query: Query, scenario: Scenario) -> None:
    """The drawing on a wall of tiles."""
    pen.box(0, 0, 100, 100, c.deep)
    for i in range(25):
        x, y = 4 + 18.6 * (i % 5), 4 + 18.6 * (i // 5)
        tile = pen.at(x, y, 17.4)
        _tile(tile, c, _variant(query, i, 4))
    pen.box(17.5, 13.5, 82.5, 78.5, c.deep, 7)
    pen.box(20, 16, 80, 76, c.soft, 5)
    _motif(scenario)(pen.at(29, 25, 42), c)
    pen.box(7.5, 78, 92.5, 96.5, c.deep, 5)
    pen.box(10, 80.5, 90, 94, c.paper, 3)
    _title(pen, (50, 87.3, 74), scenario.title, 5.6, c.deep, anchor="mm")


def _tile(pen: Pen, c: Palette, kind: int) -> None:
    pen.box(0, 0, 100, 100, c.main, 8)
    if kind == 1:
        pen.pie(0, 0, 96, 0, 90, c.soft)
    elif kind == 2:
        pen.disc(50, 50, 28, c.accent)
    elif kind == 3:
        pen.shape([(8, 92), (92, 92), (92, 8)], c.soft)


_CARDS: tuple[Layout, ...] = (_poster, _card, _note, _split)
_SCENES: tuple[Layout, ...] = (_disc, _horizon, _tiles)


def _variant(query: Query, n: int, choices: int) -> int:
    """Return the n-th of up to 32 numbers below `choices` that the query's id decides."""
    return hashlib.sha256(b"variant " + query.id.encode()).digest()[n] % choices


def _motif(scenario: Scenario) -> Callable[[Pen, Palette], None]:
    return MOTIFS[scenario.id.partition(".")[2]]


def _title(
    pen: Pen,
    place: tuple[float, float, float],
    text: str,
    size: float,
    colour: str,
    *,
    anchor: str,
) -> None:
    """Write a title, smaller when it would be wider than its place (x, y, width)."""
    x, y, room = place
    size = min(size, size * room / (pen.width(text, size) * 1.03))
    pen.write(x, y, text, size, colour, anchor=anchor, bold=True)


def _paragraph(
    pen: Pen, area: tuple[float, float, float, float], text: str, colour: str, *, bold: bool
) -> None:
    """Write words as large as the area (x, y, width, height) allows."""
    x, y, width, height = area
    for tenths in range(78, 20, -2):
        size = tenths / 10
        lines = _wrap(pen, text, size, width * (0.97 if bold else 1))
        widest = max(pen.width(line, size) for line in lines)
        if len(lines) * size * 1.28 <= height and widest <= width:
            break
    else:
        lines, size = _wrap(pen, text, 2.2, width), 2.2
    for number, line in enumerate(lines):
        pen.write(x, y + number * size * 1.28, line, size, colour, bold=bold)


def _wrap(pen: Pen, text: str, size: float, width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and pen.width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
