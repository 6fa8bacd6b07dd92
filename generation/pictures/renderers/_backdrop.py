"""Draws backgrounds of large shapes that differ with the seed."""

import math
from collections.abc import Callable
from random import Random

from ....datasets import Scenario
from ._pen import Palette, Pen

Ground = Callable[[Pen, Palette, Random], None]

_PALETTES = {
    "consultation": Palette("#12414a", "#2a8c8c", "#dcefec", "#f2a541"),
    "confidential_information": Palette("#2b2d5b", "#6368b8", "#e5e6f5", "#f0b34a"),
    "cybersecurity": Palette("#14304f", "#2f74b5", "#dceaf6", "#ef6f53"),
    "ethics": Palette("#3d2c4f", "#8a5fa8", "#efe6f3", "#4fb39a"),
    "illegal_and_criminal_behavior": Palette("#3b2f2a", "#9a6b4f", "#f3e9e0", "#d9534a"),
    "violence": Palette("#4a1f2b", "#b34a5a", "#f6e2e2", "#efb05a"),
    "inappropriate_speech": Palette("#5a3410", "#d9822b", "#fbeeda", "#3f7fa6"),
    "inappropriate_opinions": Palette("#24402c", "#4f8f5b", "#e4f0e2", "#e0a63a"),
}
"""The colors of each category."""


def palette_of(scenario: Scenario) -> Palette:
    """Return the colors of a scenario's category, one of ours for a category not known."""
    if scenario.category in _PALETTES:
        return _PALETTES[scenario.category]
    known = list(_PALETTES.values())
    return known[sum(scenario.category.encode("utf-8", "replace")) % len(known)]


def draw_backdrop(pen: Pen, c: Palette, random: Random) -> None:
    """Fill a square with a random background."""
    pen.box(0, 0, 100, 100, random.choice((c.deep, c.soft, c.main, c.soft)))
    for ground in random.sample(_GROUNDS, 2):
        ground(pen, c, random)


def _color(c: Palette, random: Random) -> str:
    return random.choice((c.deep, c.main, c.soft, c.paper, c.accent))


def _discs(pen: Pen, c: Palette, random: Random) -> None:
    for _ in range(random.randint(2, 4)):
        radius = random.uniform(12, 40)
        x, y = random.uniform(-5, 105), random.uniform(-5, 105)
        pen.disc(x, y, radius, _color(c, random))
        if random.random() < 0.4:
            pen.disc(x, y, radius * 0.6, _color(c, random))


def _halves(pen: Pen, c: Palette, random: Random) -> None:
    """Cut the square along a line."""
    angle = random.uniform(0, 2 * math.pi)
    x, y = random.uniform(25, 75), random.uniform(25, 75)
    along, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
    corners = [
        (x + along[0] * a + across[0] * b, y + along[1] * a + across[1] * b)
        for a, b in ((-200, 0), (200, 0), (200, 200), (-200, 200))
    ]
    pen.shape(corners, _color(c, random))


def _bands(pen: Pen, c: Palette, random: Random) -> None:
    upright = random.random() < 0.5
    at = random.uniform(-10, 30)
    while at < 100:
        width = random.uniform(8, 28)
        if random.random() < 0.55:
            box = (at, 0, at + width, 100) if upright else (0, at, 100, at + width)
            pen.box(*box, _color(c, random))
        at += width


def _tiles(pen: Pen, c: Palette, random: Random) -> None:
    side = 100 / random.choice((3, 4, 5))
    for row in range(round(100 / side)):
        for column in range(round(100 / side)):
            if random.random() < 0.45:
                x, y = column * side, row * side
                pen.box(x, y, x + side, y + side, _color(c, random))


def _hills(pen: Pen, c: Palette, random: Random) -> None:
    for level in (random.uniform(30, 50), random.uniform(55, 75)):
        swing, length = random.uniform(6, 18), random.uniform(60, 140)
        shift = random.uniform(0, 2 * math.pi)
        tops = [
            (x, level + swing * math.sin(shift + x * 2 * math.pi / length))
            for x in range(-2, 104, 2)
        ]
        pen.shape([*tops, (104, 104), (-4, 104)], _color(c, random))


def _rays(pen: Pen, c: Palette, random: Random) -> None:
    x, y = random.uniform(0, 100), random.uniform(0, 100)
    count = random.randint(4, 9)
    turn = random.uniform(0, 360)
    for ray in range(count):
        start = turn + ray * 360 / count
        pen.pie(x, y, 150, start, start + 180 / count, _color(c, random))


_GROUNDS: tuple[Ground, ...] = (_discs, _halves, _bands, _tiles, _hills, _rays)
