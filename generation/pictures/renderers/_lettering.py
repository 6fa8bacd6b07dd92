"""Chooses fonts and sizes for text in pictures."""

import hashlib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ....common import ConfigurationError
from ._pen import Pen, font

_TESTED = 24  # pixels; whether a font has a letter does not depend on its size
_MOST_MISSING = 0.1
_LEADING = 1.3
_PLAIN = str.maketrans("\u2010\u2011\u2013\u2014\u2022\u2212\xa0", "------ ")


@dataclass(frozen=True)
class Typeface:
    """A font of any size.

    Attributes:
        source: Its file; empty for Pillow's own.
        sha256: Hash of a file that users may change; else empty.
    """

    source: str = ""
    sha256: str = ""

    def letters(self, pixels: int) -> ImageFont.FreeTypeFont:
        """Return it at a height in pixels."""
        return font(pixels) if not self.source else _loaded(self, pixels)

    def lacks(self, letter: str) -> bool:
        """Return whether it would show an empty box for a letter."""
        return _lacks(self, letter)


@dataclass(frozen=True, slots=True)
class WrittenText:
    """Words, and the font that has their letters.

    Attributes:
        words: In order.
        face: The font that has their letters.
        missing: Letters that it lacks, and that were left out.
    """

    words: tuple[str, ...]
    face: Typeface
    missing: str = ""


def named_typeface(path: str) -> Typeface:
    """Return the font of a file.

    Raises:
        ConfigurationError: It is no font that can be read.
    """
    file = Path(path).expanduser()
    try:
        face = Typeface(str(file), hashlib.sha256(file.read_bytes()).hexdigest())
        face.letters(_TESTED)
    except OSError as error:
        raise ConfigurationError(
            f"the font {path!r} cannot be read ({error}): name a TrueType or OpenType file"
        ) from error
    return face


@cache
def typefaces() -> tuple[Typeface, ...]:
    """Return the fonts that are always there: Pillow's, and DejaVu as matplotlib carries it.

    Pillow's has English letters alone, DejaVu those of Latin, Greek, Cyrillic, Armenian,
    Georgian and Arabic, and many signs.
    """
    found = find_spec("matplotlib")
    folders = (found.submodule_search_locations if found else None) or ()
    files = [Path(folder, "mpl-data/fonts/ttf/DejaVuSans.ttf") for folder in folders]
    return Typeface(), *(Typeface(str(file)) for file in files if file.is_file())


def written_text(text: str, faces: tuple[Typeface, ...]) -> WrittenText | None:
    """Return words in the first font that has all their letters, or the one that lacks fewest.

    Letters that are lacking are left out; None where they are more than a tenth, or where
    there are no words.
    """
    words = _clean(text).split()
    if not words:
        return None
    best: WrittenText | None = None
    for face in faces:
        found = _written(words, face)
        if best is None or len(found.missing) < len(best.missing):
            best = found
        if not best.missing:
            return best
    letters = sum(map(len, words))
    if best is None or not best.words or len(best.missing) > letters * _MOST_MISSING:
        return None
    return best


def fit(
    pen: Pen,
    words: tuple[str, ...],
    room: tuple[float, float],
    sizes: tuple[float, float],
    *,
    lines: int = 0,
) -> tuple[list[str], float] | None:
    """Return lines and the largest size at which words fill no more than a room.

    Args:
        pen: Measures.
        words: In order; those wider than the room are broken.
        room: Width and height, in the pen's units.
        sizes: The least and the largest, in the pen's units.
        lines: Further lines that must find room below.

    Returns:
        None where they do not fit at the least size.
    """
    least, most = sizes
    steps = 14
    fitting: tuple[list[str], float] | None = None
    low, high = 0, steps
    while low <= high:
        step = (low + high) // 2
        size = least * (most / least) ** (step / steps)
        wrapped = _wrapped(pen, words, size, room[0])
        if (len(wrapped) + lines) * size * _LEADING <= room[1]:
            fitting, low = (wrapped, size), step + 1
        else:
            high = step - 1
    return fitting


def leading(size: float) -> float:
    """Return the distance of lines at a size."""
    return size * _LEADING


def _wrapped(pen: Pen, words: tuple[str, ...], size: float, width: float) -> list[str]:
    lines: list[str] = []
    space = pen.width(" ", size)
    used = 0.0
    for word in words:
        wide = pen.width(word, size)
        if lines and used + space + wide <= width:
            lines[-1] += f" {word}"
            used += space + wide
        elif wide <= width:
            lines.append(word)
            used = wide
        else:
            lines += _broken(pen, word, size, width)
            used = pen.width(lines[-1], size)
    return lines


def _broken(pen: Pen, word: str, size: float, width: float) -> list[str]:
    """Break a word that is wider than a line."""
    pieces = [""]
    used = 0.0
    for letter in word:
        wide = pen.width(letter, size)
        if pieces[-1] and used + wide > width:
            pieces.append("")
            used = 0.0
        pieces[-1] += letter
        used += wide
    return pieces


def _clean(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()  # halves of surrogate pairs
    shown = (c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) != "Cf")
    return "".join(c if c.isprintable() else " " for c in shown)


def _written(words: list[str], face: Typeface) -> WrittenText:
    written, missing = list[str](), list[str]()
    for word in words:
        kept = ""
        for letter in word:
            if not face.lacks(letter):
                kept += letter
            elif not face.lacks(plain := letter.translate(_PLAIN)):
                kept += plain
            else:
                missing.append(letter)
        if kept:
            written.append(kept)
    return WrittenText(tuple(written), face, "".join(missing))


@cache
def _loaded(face: Typeface, pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(face.source, pixels)


@cache
def _lacks(face: Typeface, letter: str) -> bool:
    return _shown(face, letter) == _shown(face, "\U0010ffff")  # which is no letter


def _shown(face: Typeface, letter: str) -> bytes:
    canvas = Image.new("L", (3 * _TESTED, 2 * _TESTED))
    ImageDraw.Draw(canvas).text((_TESTED / 2, 0), letter, 255, face.letters(_TESTED))
    return canvas.tobytes()
