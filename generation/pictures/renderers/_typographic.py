"""Renders the text of a query: a model may refuse it as text and answer it as a picture."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from PIL import Image, ImageDraw

from ....datasets import Scenario
from ._backdrop import draw_backdrop, palette_of
from ._lettering import WrittenText, fit, leading, named_typeface, typefaces, written_text
from ._pen import Palette, Pen
from ._renderer import Drawn, DrawnHere, NotDrawn, Subject, flat_png

_LEAST_PIXELS = 11
_SLANT = 0.16
_BOLD = 3.2


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What a layout draws with.

    Attributes:
        pen: For the whole picture.
        canvas: What the pen draws on.
        palette: Its colors.
        random: Decides all that may differ.
        written_text: The words, and the font that has their letters.
        least: Smallest size of letters that can be read, in the pen's units.
    """

    pen: Pen
    canvas: Image.Image
    palette: Palette
    random: Random
    written_text: WrittenText
    least: float


Layout = Callable[[_Sheet], bool]
"""Draws; returns whether the words fit."""


class TypographicRenderer(DrawnHere):
    """Writes the query's words in one of several layouts.

    Args:
        size: Width and height in pixels.
        font: Font file to write with; None takes what is there.

    Raises:
        ConfigurationError: The font cannot be read.
    """

    def __init__(self, size: int, font: str | None = None) -> None:
        super().__init__("typographic", size)
        self._faces = typefaces()
        if font is not None:
            own = named_typeface(font)
            self._faces = (own, *self._faces)
            self.identity += f" {own.sha256}"

    def words(self, subject: Subject) -> str:
        """Return the words that are written: all."""
        return subject.text

    def drawn(self, prompt: str, scenario: Scenario, seed: int) -> Drawn | NotDrawn:
        """Draw in the thread at hand."""
        written = written_text(prompt, self._faces)
        if written is None:
            what = "no font has the letters of the text; set pictures.font to one that does"
            return NotDrawn("failed", what)
        random = Random(seed)
        first = random.randrange(len(LAYOUTS))
        # A long text may fit the next layout where it does not fit the first.
        for turn in range(len(LAYOUTS)):
            layout = tuple(LAYOUTS.values())[(first + turn) % len(LAYOUTS)]
            png = self._laid_out(layout, scenario, written, random)
            if png is not None:
                missing = len(written.missing)
                return Drawn(png, f"{missing} letters missing from all fonts" if missing else "")
        letters = len(prompt)
        return NotDrawn("failed", f"{letters:,} characters are too many for a picture")

    def _laid_out(
        self, layout: Layout, scenario: Scenario, written: WrittenText, random: Random
    ) -> bytes | None:
        side = self.size * 2
        canvas = Image.new("RGB", (side, side))
        pen = Pen(ImageDraw.Draw(canvas), 0, 0, side / 100, written.face.letters)
        least = 100 * _LEAST_PIXELS / self.size
        sheet = _Sheet(pen, canvas, palette_of(scenario), random, written, least)
        return flat_png(canvas, self.size) if layout(sheet) else None


def _paper(sheet: _Sheet, fill: str, radius: float = 0) -> tuple[float, float, float, float]:
    """Draw the ground and a sheet on it; return the sheet's corners."""
    pen, random = sheet.pen, sheet.random
    draw_backdrop(pen, sheet.palette, random)
    x0, y0 = random.uniform(3, 14), random.uniform(3, 14)
    x1, y1 = random.uniform(86, 97), random.uniform(86, 97)
    pen.box(x0 + 1.4, y0 + 1.6, x1 + 1.4, y1 + 1.6, sheet.palette.deep, radius)
    pen.box(x0, y0, x1, y1, fill, radius)
    return x0, y0, x1, y1


def _write(
    sheet: _Sheet,
    area: tuple[float, float, float, float],
    color: str,
    *,
    most: float = 9,
    bold: bool = False,
    anchor: str = "l",
    lines: int = 0,
) -> tuple[float, float] | None:
    """Write the words in an area (x, y, width, height); return where they end, and their size."""
    x, y, width, height = area
    room = width * (0.96 if bold else 1.0)
    sizes = (min(sheet.least, most), most)
    found = fit(sheet.pen, sheet.written_text.words, (room, height), sizes, lines=lines)
    if found is None:
        return None
    written, size = found
    bold = bold and size >= _BOLD  # strokes run together in small letters
    at = {"l": x, "m": x + width / 2, "r": x + width}[anchor]
    for line in written:
        sheet.pen.write(at, y, line, size, color, anchor=f"{anchor}a", bold=bold)
        y += leading(size)
    return y, size


def _list(sheet: _Sheet) -> bool:
    """The words as a heading, and a list under it that waits to be filled in."""
    c, random = sheet.palette, sheet.random
    dark, light = random.choice(((c.deep, c.paper), ("#1c1c1c", "#ffffff"), (c.deep, c.soft)))
    x0, y0, x1, y1 = _paper(sheet, light)
    items = random.randint(3, 5)
    area = (x0 + 6, y0 + 6, x1 - x0 - 12, y1 - y0 - 12)
    end = _write(sheet, area, dark, most=8, bold=True, lines=items + 1)
    if end is None:
        return False
    y, size = end[0] + leading(end[1]) / 2, end[1]
    step = min((y1 - 4 - y) / items, 13)
    for item in range(1, items + 1):
        sheet.pen.write(x0 + 8, y, f"{item}.", size, dark, bold=True)
        sheet.pen.box(x0 + 8 + size * 1.8, y + size, x1 - 8, y + size + 0.3, c.main)
        y += step
    return True


def _heading(sheet: _Sheet) -> bool:
    """Large words on a plain ground, with a bar beside them."""
    c, random = sheet.palette, sheet.random
    ground, ink = random.choice(((c.deep, c.paper), (c.soft, c.deep), (c.paper, c.deep)))
    draw_backdrop(sheet.pen, c, random)
    top, bottom = random.uniform(6, 26), random.uniform(74, 94)
    sheet.pen.box(0, top, 100, bottom, ground)
    anchor = random.choice("lmr")
    left, right = random.uniform(8, 14), random.uniform(86, 92)
    bar = {"l": left, "m": 44.0, "r": right - 12}[anchor]
    sheet.pen.box(bar, top + 5, bar + 12, top + 6.6, c.accent, 0.8)
    area = (left, top + 11, right - left, bottom - top - 15)
    return _write(sheet, area, ink, most=11, bold=True, anchor=anchor) is not None


def _dark(sheet: _Sheet) -> bool:
    """Light words in a dark window."""
    c, random = sheet.palette, sheet.random
    x0, y0, x1, y1 = _paper(sheet, "#15181d", 3)
    sheet.pen.box(x0, y0, x1, y0 + 9, "#2a2f38", 3)
    sheet.pen.box(x0, y0 + 6, x1, y0 + 9, "#2a2f38")
    for number, color in enumerate((c.accent, c.soft, c.main)):
        sheet.pen.disc(x0 + 5 + number * 5, y0 + 4.5, 1.5, color)
    ink = random.choice(("#e8ecf1", "#9be8b0", "#ffd98a", c.soft))
    sheet.pen.write(x0 + 5, y0 + 13, ">", 5.5, c.accent, bold=True)
    area = (x0 + 11, y0 + 13, x1 - x0 - 16, (y1 - y0 - 18) * random.uniform(0.6, 1))
    end = _write(sheet, area, ink, most=6.5)
    if end is None:
        return False
    sheet.pen.box(x0 + 11, end[0] + 1, x0 + 14, end[0] + 1 + end[1], ink)
    return end[0] + 1 + end[1] < y1


def _wrapped(sheet: _Sheet) -> bool:
    """A narrow column of words in a speech bubble."""
    c, random = sheet.palette, sheet.random
    draw_backdrop(sheet.pen, c, random)
    width = random.uniform(52, 74)
    x0 = random.uniform(5, 95 - width)
    y0, y1 = random.uniform(5, 20), random.uniform(74, 86)
    fill, ink = random.choice(((c.paper, c.deep), (c.deep, c.paper), (c.soft, c.deep)))
    tail = x0 + width * random.uniform(0.25, 0.75)
    for grown, color in ((1.2, c.deep if fill != c.deep else c.paper), (0, fill)):
        points = [(tail - 7 - grown, y1 - 3), (tail + 7 + grown, y1 - 3), (tail, y1 + 9 + grown)]
        sheet.pen.shape(points, color)
        sheet.pen.box(x0 - grown, y0 - grown, x0 + width + grown, y1 + grown, color, 6)
    sheet.pen.shape([(tail - 7, y1 - 3), (tail + 7, y1 - 3), (tail, y1 + 9)], fill)
    area = (x0 + 6, y0 + 6, width - 12, y1 - y0 - 12)
    return _write(sheet, area, ink, most=8, anchor=random.choice("lm")) is not None


def _grid(sheet: _Sheet) -> bool:
    """Words as if by hand on squared paper: slanted, and not quite on the line."""
    c, random = sheet.palette, sheet.random
    x0, y0, x1, y1 = _paper(sheet, "#fdfdf6")
    side = random.uniform(4, 6)
    for line in range(1, int((x1 - x0) / side) + 1):
        sheet.pen.box(x0 + line * side, y0, x0 + line * side + 0.15, y1, "#b9d3e6")
    for line in range(1, int((y1 - y0) / side) + 1):
        sheet.pen.box(x0, y0 + line * side, x1, y0 + line * side + 0.15, "#b9d3e6")
    margin = x0 + 3 * side
    sheet.pen.box(margin, y0, margin + 0.4, y1, "#e58c8c")
    ink = random.choice(("#1d3a8a", "#20242c", c.deep))
    return _by_hand(sheet, (margin + 1, y0 + side, x1 - margin - 3, y1 - y0 - 2 * side), ink)


def _by_hand(sheet: _Sheet, area: tuple[float, float, float, float], ink: str) -> bool:
    x, y, width, height = area
    sizes = (min(sheet.least, 7), 7.0)
    found = fit(sheet.pen, sheet.written_text.words, (width * 0.94, height), sizes)
    if found is None:
        return False
    lines, size = found
    mask = Image.new("L", sheet.canvas.size)
    pen = replace(sheet.pen, draw=ImageDraw.Draw(mask))
    space, middle = pen.width(" ", size), y + height / 2
    for number, line in enumerate(lines):
        base = y + number * leading(size)
        at = x + _SLANT * (base + size - middle)  # where the slant will move it back from
        for word in line.split():
            lift = sheet.random.uniform(-0.08, 0.08) * size
            pen.write(at, base + lift, word, size, "#ffffff")
            at += pen.width(word, size) + space * sheet.random.uniform(0.9, 1.1)
    # Each row of pixels moves to the left by its depth below the middle.
    slanted = mask.transform(
        mask.size,
        Image.Transform.AFFINE,
        (1, _SLANT, -_SLANT * middle * pen.unit, 0, 1, 0),
        Image.Resampling.BILINEAR,
    )
    sheet.canvas.paste(ink, (0, 0, *mask.size), slanted)
    return True


LAYOUTS: dict[str, Layout] = {
    "list": _list,
    "heading": _heading,
    "grid": _grid,
    "dark": _dark,
    "wrapped": _wrapped,
}
"""By name."""
