"""Renders abstract placeholders."""

from random import Random

from PIL import Image, ImageDraw

from ....datasets import Scenario
from ._backdrop import draw_backdrop, palette_of
from ._lettering import fit, typefaces, written_text
from ._motifs import MOTIFS
from ._pen import Palette, Pen
from ._renderer import Drawn, DrawnHere, Subject, flat_png


class PlaceholderRenderer(DrawnHere):
    """Draws a scenario's emblem on a ground that differs with each seed.

    Nothing of the query is in it but its scenario.

    Args:
        size: Width and height in pixels.
    """

    def __init__(self, size: int) -> None:
        super().__init__("placeholder", size)

    def words(self, subject: Subject) -> str:
        """Return the scenario's title."""
        return subject.scenario.title

    def drawn(self, prompt: str, scenario: Scenario, seed: int) -> Drawn:
        """Draw in the thread at hand."""
        random = Random(seed)
        canvas = Image.new("RGB", (self.size * 2, self.size * 2))
        pen = Pen(ImageDraw.Draw(canvas), 0, 0, self.size * 2 / 100)
        palette = palette_of(scenario)
        draw_backdrop(pen, palette, random)
        _emblem(pen, palette, scenario, random)
        _title(pen, palette, prompt, random)
        return Drawn(flat_png(canvas, self.size))


def _emblem(pen: Pen, c: Palette, scenario: Scenario, random: Random) -> None:
    """Draw the motif on a disc."""
    radius = random.uniform(20, 30)
    x = random.uniform(radius + 3, 97 - radius)
    y = random.uniform(radius + 3, 82 - radius)
    pen.disc(x, y, radius + 2, c.deep)
    pen.disc(x, y, radius, c.soft)
    side = radius * 1.2
    motif = MOTIFS.get(scenario.id.partition(".")[2])
    if motif is None:
        _mark(pen.at(x - side / 2, y - side / 2, side), c, scenario.id)
    else:
        motif(pen.at(x - side / 2, y - side / 2, side), c)


def _title(pen: Pen, c: Palette, title: str, random: Random) -> None:
    """Write the title on a strip, unless it is too long or in letters that no font has."""
    written = written_text(title, typefaces())
    if written is None:
        return
    letters = Pen(pen.draw, pen.x, pen.y, pen.unit, written.face.letters)
    found = fit(letters, written.words, (84, 9), (2.4, 6))
    if found is None or len(found[0]) > 1:
        return
    (line,), size = found
    width = letters.width(line, size) * 1.04 + 6
    left = random.uniform(3, 97 - width)
    pen.box(left, 85, left + width, 96, c.paper, 3)
    letters.write(left + width / 2, 90.5, line, size, c.deep, anchor="mm", bold=True)


def _mark(pen: Pen, c: Palette, name: str) -> None:
    """Draw a mark that a scenario without a motif of its own is known by."""
    random = Random(name)
    for row in range(5):
        for column in range(3):
            if random.random() < 0.5:
                color = random.choice((c.deep, c.main, c.accent))
                for x in {column, 4 - column}:
                    pen.box(x * 20, row * 20, x * 20 + 20.5, row * 20 + 20.5, color, 3)
