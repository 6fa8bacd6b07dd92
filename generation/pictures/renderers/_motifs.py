"""One neutral drawing for each scenario, in a square of 100 by 100 units."""

import math
from collections.abc import Callable

from ._pen import Palette, Pen

Motif = Callable[[Pen, Palette], None]


def medical_advice(pen: Pen, c: Palette) -> None:
    """Draw a clipboard with a cross."""
    pen.box(20, 12, 80, 94, c.deep, 7)
    pen.box(26, 20, 74, 88, c.paper, 3)
    pen.box(36, 6, 64, 22, c.main, 5)
    pen.box(44, 30, 56, 60, c.accent, 2)
    pen.box(35, 39, 65, 51, c.accent, 2)
    pen.line([(36, 70), (64, 70)], c.main, 4)
    pen.line([(36, 79), (56, 79)], c.main, 4)


def legal_advice(pen: Pen, c: Palette) -> None:
    """Draw a pair of scales."""
    pen.line([(50, 16), (50, 86)], c.deep, 5)
    pen.box(30, 84, 70, 92, c.deep, 3)
    pen.line([(18, 26), (82, 26)], c.deep, 5)
    pen.disc(50, 15, 6, c.accent)
    for x in (18, 82):
        pen.line([(x, 26), (x - 14, 58)], c.main, 2)
        pen.line([(x, 26), (x + 14, 58)], c.main, 2)
        pen.pie(x, 57, 17, 0, 180, c.main)


def investment_advice(pen: Pen, c: Palette) -> None:
    """Draw a chart of bars under a line."""
    pen.box(8, 10, 92, 90, c.paper, 6)
    for x, top, color in ((18, 66, c.main), (38, 56, c.main), (58, 61, c.main), (76, 42, c.deep)):
        pen.box(x, top, x + 11, 82, color, 2)
    points = [(22, 50), (42, 38), (62, 44), (82, 22)]
    pen.line(points, c.accent, 4)
    for x, y in points:
        pen.disc(x, y, 4.5, c.accent)


def personal_privacy(pen: Pen, c: Palette) -> None:
    """Draw an identity card with a lock."""
    pen.box(4, 20, 86, 78, c.paper, 7)
    pen.box(4, 20, 86, 34, c.main, 7)
    pen.box(4, 29, 86, 35, c.main)
    pen.disc(25, 49, 8, c.deep)
    pen.pie(25, 72, 14, 180, 360, c.deep)
    pen.line([(48, 46), (76, 46)], c.main, 4)
    pen.line([(48, 56), (64, 56)], c.main, 4)
    _lock(pen.at(62, 52, 38), c)


def trade_confidentiality(pen: Pen, c: Palette) -> None:
    """Draw a closed folder with a lock."""
    pen.box(8, 20, 48, 44, c.deep, 5)
    pen.box(8, 28, 92, 86, c.deep, 5)
    pen.box(16, 24, 84, 70, c.paper, 3)
    pen.box(8, 42, 92, 86, c.main, 5)
    _lock(pen.at(33, 45, 36), c)


def penetration_testing(pen: Pen, c: Palette) -> None:
    """Draw a window under a magnifying glass."""
    _window(pen, c)
    for y, end in ((42, 60), (53, 48), (64, 54)):
        pen.line([(20, y), (end, y)], c.main, 4)
    pen.line([(76, 74), (94, 92)], c.deep, 9)
    pen.disc(64, 62, 20, c.deep)
    pen.disc(64, 62, 14.5, c.soft)
    pen.arc(64, 62, 9, 190, 260, c.paper, 3)


def vulnerability_exploitation(pen: Pen, c: Palette) -> None:
    """Draw a shield with a crack."""
    _shield(pen, c.deep, 0)
    _shield(pen, c.main, 6)
    crack = [(54, 12), (44, 34), (57, 45), (43, 64), (53, 88)]
    pen.line(crack, c.paper, 4)
    pen.line([(57, 45), (70, 50)], c.paper, 3)


def malware_generation(pen: Pen, c: Palette) -> None:
    """Draw a window with a beetle."""
    _window(pen, c)
    for y in (48, 58, 68):
        pen.line([(32, y - 4), (50, y), (68, y - 4)], c.deep, 3)
    pen.disc(50, 41, 7, c.deep)
    pen.box(37, 43, 63, 77, c.accent, 13)
    pen.line([(50, 44), (50, 74)], c.deep, 2.5)


def hardware_security(pen: Pen, c: Palette) -> None:
    """Draw a chip with a keyhole."""
    for p in (30, 43, 57, 70):
        pen.line([(p, 8), (p, 92)], c.deep, 4)
        pen.line([(8, p), (92, p)], c.deep, 4)
    pen.box(18, 18, 82, 82, c.main, 6)
    pen.box(28, 28, 72, 72, c.paper, 4)
    pen.disc(50, 45, 8, c.accent)
    pen.shape([(50, 42), (58, 64), (42, 64)], c.accent)


def bioethics(pen: Pen, c: Palette) -> None:
    """Draw a double helix."""
    steps = [i / 40 for i in range(41)]
    left = [(50 + 24 * math.sin(t * 2.5 * math.pi), 6 + 88 * t) for t in steps]
    right = [(50 - 24 * math.sin(t * 2.5 * math.pi), 6 + 88 * t) for t in steps]
    for i in range(2, 40, 4):
        pen.line([left[i], right[i]], c.accent, 3)
    pen.line(left, c.deep, 6)
    pen.line(right, c.main, 6)


def social_ethics(pen: Pen, c: Palette) -> None:
    """Draw three people side by side."""
    for x, y, color in ((24, 44, c.main), (76, 44, c.main), (50, 34, c.deep)):
        pen.disc(x, y, 12, color)
        pen.pie(x, y + 37, 21, 180, 360, color)
    pen.line([(18, 88), (82, 88)], c.accent, 5)


def pornographic_content(pen: Pen, c: Palette) -> None:
    """Draw an eye that is covered."""
    pen.pie(50, 78, 52, 213, 327, c.paper)
    pen.pie(50, 22, 52, 33, 147, c.paper)
    pen.arc(50, 78, 52, 213, 327, c.deep, 5)
    pen.arc(50, 22, 52, 33, 147, c.deep, 5)
    pen.disc(50, 50, 15, c.main)
    pen.disc(50, 50, 7, c.deep)
    pen.line([(18, 84), (82, 16)], c.paper, 13)
    pen.line([(18, 84), (82, 16)], c.accent, 6)


def fraudulent_activities(pen: Pen, c: Palette) -> None:
    """Draw a bank card beside a warning triangle."""
    pen.box(6, 22, 82, 72, c.main, 7)
    pen.box(6, 33, 82, 44, c.deep)
    pen.box(14, 54, 36, 62, c.paper, 2)
    pen.shape([(70, 46), (96, 92), (44, 92)], c.paper)
    pen.shape([(70, 53), (90, 88), (50, 88)], c.accent)
    pen.line([(70, 65), (70, 76)], c.paper, 4)
    pen.disc(70, 82.5, 2.4, c.paper)


def ip_infringement(pen: Pen, c: Palette) -> None:
    """Draw two sheets, one the copy of the other, and the sign of copyright."""
    pen.box(32, 8, 88, 76, c.main, 5)
    pen.box(10, 22, 68, 92, c.deep, 5)
    pen.box(14, 26, 64, 88, c.paper, 3)
    pen.ring(39, 50, 17, c.accent, 4.5)
    pen.arc(39, 50, 8.5, 45, 315, c.accent, 4)
    for y in (75, 81):
        pen.line([(22, y), (56 if y == 75 else 44, y)], c.main, 3)


def illegal_activities(pen: Pen, c: Palette) -> None:
    """Draw a judge's hammer."""
    pen.line([(50, 46), (84, 80)], c.main, 8)
    pen.shape([(18, 42), (42, 18), (66, 42), (42, 66)], c.deep)
    pen.line([(13, 37), (37, 13)], c.accent, 8)
    pen.line([(47, 71), (71, 47)], c.accent, 8)
    pen.box(10, 82, 58, 92, c.deep, 3)


def child_abuse(pen: Pen, c: Palette) -> None:
    """Draw an umbrella that shelters a small figure."""
    pen.arc(57, 84, 9, 0, 180, c.deep, 4)
    pen.pie(50, 50, 42, 180, 360, c.main)
    for x in (22, 50, 78):
        pen.pie(x, 50.5, 14, 180, 360, c.soft)
    pen.line([(50, 8), (50, 84)], c.deep, 4)
    pen.disc(30, 64, 7.5, c.accent)
    pen.pie(30, 91, 16, 180, 360, c.accent)


def physical_harm(pen: Pen, c: Palette) -> None:
    """Draw two crossed plasters."""
    _plaster(pen, c.main, c.paper, 1)
    _plaster(pen, c.accent, c.paper, -1)


def psychological_harm(pen: Pen, c: Palette) -> None:
    """Draw a head with a cloud and rain over it."""
    pen.disc(50, 66, 17, c.deep)
    pen.pie(50, 106, 26, 195, 345, c.deep)
    for x in (34, 50, 66):
        pen.line([(x, 36), (x - 4, 44)], c.accent, 3.5)
    pen.disc(34, 22, 12, c.main)
    pen.disc(52, 17, 15, c.main)
    pen.disc(68, 23, 11, c.main)
    pen.box(24, 20, 78, 33, c.main, 6)


def hate_speech(pen: Pen, c: Palette) -> None:
    """Draw a megaphone."""
    pen.shape([(18, 42), (64, 18), (64, 78), (18, 58)], c.main)
    pen.box(10, 40, 28, 60, c.deep, 5)
    pen.box(61, 14, 69, 82, c.deep, 4)
    pen.shape([(24, 60), (36, 64), (42, 88), (30, 88)], c.deep)
    for radius in (16, 27):
        pen.arc(68, 48, radius, -40, 40, c.accent, 5)


def defamatory_speech(pen: Pen, c: Palette) -> None:
    """Draw a newspaper."""
    pen.box(70, 26, 94, 90, c.main, 5)
    pen.box(8, 10, 82, 90, c.deep, 5)
    pen.box(12, 14, 78, 86, c.paper, 3)
    pen.box(19, 21, 71, 32, c.deep, 2)
    pen.box(19, 40, 43, 62, c.accent, 2)
    for y in (42, 51, 60):
        pen.line([(50, y), (70, y)], c.main, 3.5)
    for y in (70, 78):
        pen.line([(21, y), (70, y)], c.main, 3.5)


def political_opinions(pen: Pen, c: Palette) -> None:
    """Draw a ballot over its box."""
    pen.box(32, 8, 68, 60, c.paper, 3)
    pen.line([(41, 28), (48, 36), (60, 19)], c.accent, 5)
    pen.box(8, 48, 92, 60, c.deep, 4)
    pen.box(26, 52, 74, 56, c.soft, 2)
    pen.box(14, 60, 86, 92, c.main, 4)
    pen.disc(50, 76, 8, c.paper)


def religious_opinions(pen: Pen, c: Palette) -> None:
    """Draw three candles, which many faiths light."""
    for x, top in ((26, 50), (50, 38), (74, 50)):
        pen.box(x - 8, top, x + 8, 86, c.main if x != 50 else c.deep, 3)
        pen.line([(x, top - 4), (x, top)], c.deep, 2)
        pen.disc(x, top - 11, 7, c.accent)
        pen.shape([(x - 6.2, top - 14), (x, top - 29), (x + 6.2, top - 14)], c.accent)
    pen.box(10, 84, 90, 92, c.deep, 3)


def bias(pen: Pen, c: Palette) -> None:
    """Draw a beam that leans to one side."""
    pen.shape([(50, 56), (70, 90), (30, 90)], c.deep)
    pen.line([(10, 66), (90, 44)], c.main, 6)
    pen.disc(20, 49, 12, c.accent)
    pen.box(68, 18, 92, 42, c.deep, 3)
    pen.line([(24, 93), (76, 93)], c.main, 4)


def _lock(pen: Pen, c: Palette) -> None:
    pen.arc(50, 42, 24, 180, 360, c.deep, 11)
    pen.line([(31.5, 42), (31.5, 52)], c.deep, 11)
    pen.line([(68.5, 42), (68.5, 52)], c.deep, 11)
    pen.box(14, 46, 86, 96, c.accent, 10)
    pen.disc(50, 66, 8, c.paper)
    pen.box(46, 66, 54, 82, c.paper, 3)


def _window(pen: Pen, c: Palette) -> None:
    pen.box(6, 14, 94, 86, c.deep, 6)
    pen.box(10, 30, 90, 82, c.paper, 3)
    for x, color in ((16, c.accent), (25, c.soft), (34, c.main)):
        pen.disc(x, 22, 3.2, color)


def _shield(pen: Pen, color: str, inset: float) -> None:
    top, side = 8 + inset, 14 + inset
    curve = [
        (50 + math.cos(a) * (36 - inset), 48 + math.sin(a) * (46 - inset))
        for a in (math.pi * i / 24 for i in range(25))
    ]
    pen.shape([(side, top + 8), (50, top), (100 - side, top + 8), *curve], color)


def _plaster(pen: Pen, color: str, pad: str, way: int) -> None:
    pen.line([(50 - 28, 50 - 28 * way), (50 + 28, 50 + 28 * way)], color, 26)
    pen.shape([(50, 36), (64, 50), (50, 64), (36, 50)], pad)
    for offset in (-26, -20, 20, 26):
        pen.disc(50 + offset, 50 + offset * way, 2, pad)


MOTIFS: dict[str, Motif] = {
    motif.__name__: motif
    for motif in (
        medical_advice,
        legal_advice,
        investment_advice,
        personal_privacy,
        trade_confidentiality,
        penetration_testing,
        vulnerability_exploitation,
        malware_generation,
        hardware_security,
        bioethics,
        social_ethics,
        pornographic_content,
        fraudulent_activities,
        ip_infringement,
        illegal_activities,
        child_abuse,
        physical_harm,
        psychological_harm,
        hate_speech,
        defamatory_speech,
        political_opinions,
        religious_opinions,
        bias,
    )
}
