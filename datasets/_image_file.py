"""A picture's file: checked in full, known by its header, and its pixels made plain."""

import hashlib
import struct
import threading
import warnings
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from ._errors import DatasetError
from ._media_store import MediaStore
from ._query import Media

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose

MAX_PIXELS = 89_478_485
"""Largest picture accepted: as raw RGB it takes a quarter of a gibibyte."""

MAX_PASSES = 500
"""Most passes of a progressive JPEG; each decodes all pixels again, and usual are ten."""

LARGEST_PNG = 8 * 1024 * 1024
"""Longest PNG that is made, in bytes; a picture that needs more becomes a JPEG."""

JPEG_QUALITY = 95
"""Quality of the JPEGs that are made: a higher one costs bytes and shows no more."""

_TYPES = {
    "BMP": "image/bmp",
    "GIF": "image/gif",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # a JPEG with more pictures behind the first
    "PNG": "image/png",
    "WEBP": "image/webp",
}
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP")
_ANIMATED = {"GIF", "PNG", "WEBP"}
_ALIKE = {"1", "L", "LA", "P", "PA", "RGB", "RGBA"}
"""Modes of 8 bits or fewer a channel, which all servers read alike."""

_ORIENTATION = 0x0112

# What Pillow's decoders are known to raise on damaged files.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    NotImplementedError,
    struct.error,
    zlib.error,
)
_warnings_lock = threading.RLock()


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What a picture's header says.

    Attributes:
        width: Pixels from left to right, as they lie in the file.
        height: Pixels from top to bottom, as they lie in the file.
        animated: Whether there are frames behind the first.
    """

    width: int
    height: int
    animated: bool


@dataclass(frozen=True, slots=True)
class PlainImage:
    """The pixels that every server is to see.

    Attributes:
        image: Upright and opaque, grey or RGB, without metadata.
        changes: How they differ from the file's, such as `was turned upright: ...`.
    """

    image: "Image"
    changes: tuple[str, ...]


def image_type(content: bytes) -> str:
    """Decode a picture in full and return its MIME type.

    Raises:
        DatasetError: It cannot be used; the message begins with a verb.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with _quiet():
            with Image.open(BytesIO(content), formats=_FORMATS) as image:
                _refuse_bomb(image, content)
                if image.format == "PNG":  # its checksums are not looked at by `load`
                    image.verify()
            with Image.open(BytesIO(content), formats=_FORMATS) as image:
                # JPEG alone can be decoded small: all data is read, in a fraction of the time.
                image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
                image.load()
                return _TYPES[image.format or ""]
    except UnidentifiedImageError:
        raise DatasetError("is not a PNG, JPEG, WebP, GIF or BMP picture; convert it") from None
    except Image.DecompressionBombError:
        limit = MAX_PIXELS // 1_000_000
        raise DatasetError(f"has more than {limit} million pixels; make it smaller") from None
    except _BROKEN as error:
        detail = " ".join(str(error).split())[:80] or type(error).__name__
        if "MAX_TEXT" in detail:  # Pillow's own limit, which names its constant
            raise DatasetError(
                "holds text that unpacks to more than 1 MiB; save it without its metadata"
            ) from None
        raise DatasetError(f"is damaged ({detail}); replace it") from error


def _refuse_bomb(image: "Image", content: bytes) -> None:
    from PIL.Image import DecompressionBombError

    if image.width * image.height > MAX_PIXELS:
        raise DecompressionBombError
    if "progressive" in image.info and content.count(b"\xff\xda") > MAX_PASSES:
        raise DatasetError(f"is a JPEG of more than {MAX_PASSES} passes; save it anew")


@contextmanager
def _quiet() -> Generator[None]:
    # The filters belong to the whole process: one thread at a time may change them.
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@lru_cache(maxsize=2**15)
def image_facts(media: Media) -> ImageFacts:
    """Return what a picture's header says, remembered for many pictures.

    Raises:
        DatasetError: The file is gone or is no picture.
    """
    from PIL import Image

    try:
        with (
            Path(media.path).open("rb") as file,
            _quiet(),
            Image.open(file, formats=_FORMATS) as image,
        ):
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError("too many pixels")
            animated = image.format in _ANIMATED and _is_animated(image)
            return ImageFacts(image.width, image.height, animated)
    except (*_BROKEN, Image.DecompressionBombError) as error:
        raise _unusable(media, error) from error


def _is_animated(image: "Image") -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except _BROKEN:
        return True  # something damaged lies behind the first frame


def _unusable(media: Media, error: Exception) -> DatasetError:
    from PIL import UnidentifiedImageError

    reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:80]
    if isinstance(error, UnidentifiedImageError):
        reason = "it is no picture any more"
    return DatasetError(
        f"image {media.path!r} cannot be read: {reason or type(error).__name__}; "
        "put the file back or mend the dataset"
    )


def plain_image(media: Media) -> PlainImage:
    """Decode a picture's first frame as every server is to see it.

    Raises:
        DatasetError: The file is gone, damaged, or no longer the one that was read.
    """
    from PIL import Image

    facts = image_facts(media)
    try:
        content = media.read()
        if hashlib.sha256(content).hexdigest() != media.sha256:
            raise DatasetError(
                f"image {media.path!r} changed since the dataset was read; load the set again"
            )
        with _quiet():
            image = Image.open(BytesIO(content), formats=_FORMATS)
        with image:
            image.load()
            return _plain(image, facts)
    except _BROKEN as error:
        raise _unusable(media, error) from error


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
    """Return the EXIF orientation of a decoded picture, 1 where it is upright or unknown."""
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except _BROKEN:
        return 1
    return found if found in range(1, 9) else 1


_CONVERSIONS = {
    "CMYK": "converted from CMYK to RGB: servers read CMYK differently",
    "I;16": "converted from 16 to 8 bits: servers read 16-bit grey differently",
}


def _in_8_bits(image: "Image") -> "Image":
    if not image.mode.startswith("I"):
        return image.convert("RGB")
    # Pillow's own conversion would make all but the darkest pixels white.
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _opaque(image: "Image") -> tuple["Image", bool]:
    """Return the picture on white, and whether anything of the white is seen."""
    from PIL import Image

    colours = image.convert("RGBA")
    if colours.getchannel("A").getextrema()[0] == 255:
        grey = image.mode == "LA"
        return colours.convert("L" if grey else "RGB"), False
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, colours).convert("RGB"), True


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


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A picture's file before it is written.

    Attributes:
        content: Its bytes.
        form: `png` or `jpeg`.
    """

    content: bytes
    form: str

    def keep(self, store: MediaStore) -> Media:
        """Write it, unless the store has it.

        Raises:
            DatasetError: The store cannot be written.
        """
        try:
            return store.keep(self.content, f"image/{self.form}")
        except OSError as error:
            raise DatasetError(
                f"a changed picture cannot be written ({error.strerror}); make room or rights"
            ) from error


def image_file(image: "Image") -> ImageFile:
    """Encode pixels without loss, or as a JPEG where that takes more than `LARGEST_PNG`."""
    png = as_png(image)
    return png if len(png.content) <= LARGEST_PNG else as_jpeg(image)


def as_png(image: "Image") -> ImageFile:
    """Return the pixels as a PNG, the same bytes each time."""
    out = BytesIO()
    image.save(out, "PNG")
    return ImageFile(out.getvalue(), "png")


def as_jpeg(image: "Image", quality: int = JPEG_QUALITY) -> ImageFile:
    """Return the pixels as a JPEG, the same bytes each time."""
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return ImageFile(out.getvalue(), "jpeg")
