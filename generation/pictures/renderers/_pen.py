"""Draws shapes and text in units of the picture's size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from PIL import ImageDraw, ImageFont

Color = str
Points = Sequence[tuple[float, float]]


@cache
def font(pixels: int) -> ImageFont.FreeTypeFont:
    """Return Pillow's own font, which is the same on every machine."""
    found = ImageFont.load_default(pixels)
    assert isinstance(found, ImageFont.FreeTypeFont)  # any given size means FreeType
    return found


@dataclass(frozen=True, slots=True)
class Palette:
    """The colors of one picture.

    Attributes:
        deep: Darkest; text and outlines on a light ground.
        main: The category's own color.
        soft: Pale ground.
        accent: For the one thing that should stand out.
        paper: White, or nearly so.
    """

    deep: Color
    main: Color
    soft: Color
    accent: Color
    paper: Color = "#fffdf8"


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws in a square of 100 by 100 units that lies somewhere on the canvas.

    Attributes:
        draw: The canvas.
        x: Left edge of the square, in canvas pixels.
        y: Top edge of the square, in canvas pixels.
        unit: Canvas pixels a unit.
        letters: Returns the font of a height in pixels.
    """

    draw: ImageDraw.ImageDraw
    x: float
    y: float
    unit: float
    letters: Callable[[int], ImageFont.FreeTypeFont] = font

    def at(self, x: float, y: float, size: float) -> "Pen":
        """Return a pen for a smaller square whose corner is at (x, y)."""
        px, py = self._point((x, y))
        return replace(self, x=px, y=py, unit=self.unit * size / 100)

    def box(
        self, x0: float, y0: float, x1: float, y1: float, fill: Color, radius: float = 0
    ) -> None:
        """Fill a rectangle with round corners."""
        corners = [self._point((x0, y0)), self._point((x1, y1))]
        self.draw.rounded_rectangle(corners, radius * self.unit, fill=fill)

    def disc(self, x: float, y: float, radius: float, fill: Color) -> None:
        """Fill a circle."""
        self.draw.circle(self._point((x, y)), radius * self.unit, fill=fill)

    def ring(self, x: float, y: float, radius: float, color: Color, width: float) -> None:
        """Outline a circle."""
        self.arc(x, y, radius, 0, 360, color, width)

    def arc(
        self,
        x: float,
        y: float,
        radius: float,
        start: float,
        end: float,
        color: Color,
        width: float,
    ) -> None:
        """Draw part of a circle, in degrees clockwise from three o'clock."""
        corners = [
            self._point((x - radius, y - radius)),
            self._point((x + radius, y + radius)),
        ]
        self.draw.arc(corners, start, end, fill=color, width=round(width * self.unit))

    def pie(self, x: float, y: float, radius: float, start: float, end: float, fill: Color) -> None:
        """Fill a slice of a circle, in degrees clockwise from three o'clock."""
        corners = [
            self._point((x - radius, y - radius)),
            self._point((x + radius, y + radius)),
        ]
        self.draw.pieslice(corners, start, end, fill=fill)

    def shape(self, points: Points, fill: Color) -> None:
        """Fill a polygon."""
        self.draw.polygon([self._point(p) for p in points], fill=fill)

    def line(self, points: Points, color: Color, width: float) -> None:
        """Draw a line with round ends and joints."""
        pixels = [self._point(p) for p in points]
        self.draw.line(pixels, fill=color, width=round(width * self.unit), joint="curve")
        for x, y in (pixels[0], pixels[-1]):
            self.draw.circle((x, y), width * self.unit / 2, fill=color)

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        color: Color,
        *,
        anchor: str = "la",
        bold: bool = False,
    ) -> None:
        """Write one line of text; the anchor is Pillow's."""
        pixels = round(size * self.unit)
        stroke = max(1, round(pixels / 44)) if bold else 0
        self.draw.text(
            self._point((x, y)),
            text,
            fill=color,
            font=self.letters(pixels),
            anchor=anchor,
            stroke_width=stroke,
        )

    def width(self, text: str, size: float) -> float:
        """Return the width of a line of text in units."""
        return self.letters(round(size * self.unit)).getlength(text) / self.unit

    def _point(self, point: tuple[float, float]) -> tuple[float, float]:
        return self.x + point[0] * self.unit, self.y + point[1] * self.unit
