"""Normalizes a picture's pixels, so that every server sees the same."""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from ...common import DatasetError
from ..query import Media
from ._image_file import BROKEN, FORMATS, ImageFacts, image_facts, quiet, unusable

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose

_ALIKE = {"1", "L", "LA", "P", "PA", "RGB", "RGBA"}
"""Modes of 8 bits or fewer a channel, which all servers read alike."""

_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class PlainImage:
    """The normalized pixels of a picture, and what was changed.

    Attributes:
        image: Upright and opaque, gray or RGB, without metadata.
        changes: How they differ from the file's, such as `was turned upright: ...`.
    """

    image: "Image"
    changes: tuple[str, ...]


def plain_image(media: Media) -> PlainImage:
    """Decode a picture's first frame and normalize it.

    Raises:
        DatasetError: The file is gone, damaged, or no longer the one that was read.
    """
    from PIL import Image

    facts = image_facts(media)
    try:
        content = media.read()
        if not media.matches(content):
            raise DatasetError(
                f"image {media.path!r} changed since the dataset was read; load the set again"
            )
        with quiet():
            image = Image.open(BytesIO(content), formats=FORMATS)
        with image:
            image.load()
            return _plain(image, facts)
    except BROKEN as error:
        raise unusable(media, error) from error


def _plain(image: "Image", facts: ImageFacts) -> PlainImage:
    changes: list[str] = []
    if facts.animated:
        changes.append("was cut to its first frame: servers treat animation differently")
    orientation = _orientation(image)
    if image.mode not in _ALIKE:
        changes.append(f"was {_CONVERSIONS.get(image.mode, 'converted to RGB')}")
        image = _in_8_bits(image)
    elif image.has_transparency_data:
        image, was_seen_through = _opaque(image)
        if was_seen_through:
            changes.append("was put on white: servers treat transparency differently")
    image = image.convert("L" if image.mode in {"1", "L", "LA"} else "RGB")
    if orientation != 1:
        changes.append(f"was turned upright, as its EXIF orientation {orientation} asks")
        image = image.transpose(_turn(orientation))
    image.info.clear()  # or profiles and transparency would be saved again
    return PlainImage(image, tuple(changes))


def _orientation(image: "Image") -> int:
    """Return the EXIF orientation of a decoded picture, 1 if it is upright or unknown."""
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except BROKEN:
        return 1
    return found if found in range(1, 9) else 1


_CONVERSIONS = {
    "CMYK": "converted from CMYK to RGB: servers read CMYK differently",
    "I;16": "converted from 16 to 8 bits: servers read 16-bit gray differently",
}


def _in_8_bits(image: "Image") -> "Image":
    if not image.mode.startswith("I"):
        return image.convert("RGB")
    # Pillow's own conversion would make all but the darkest pixels white.
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _opaque(image: "Image") -> tuple["Image", bool]:
    """Flatten a picture onto white; also return whether any white shows."""
    from PIL import Image

    colors = image.convert("RGBA")
    if colors.getchannel("A").getextrema()[0] == 255:
        gray = image.mode == "LA"
        return colors.convert("L" if gray else "RGB"), False
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, colors).convert("RGB"), True


def _turn(orientation: int) -> "Transpose":
    from PIL.Image import Transpose

    return {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }[orientation]
