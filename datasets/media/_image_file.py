"""Checks picture files and reads their headers."""

import struct
import threading
import warnings
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from ...common import DatasetError
from ...common.text import short_reason
from ..query import Media

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 89_478_485
"""Largest picture accepted: as raw RGB it takes a quarter of a gibibyte."""

TOO_MANY_PIXELS = f"has more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller"

MAX_PASSES = 500
"""Most passes of a progressive JPEG; each decodes all pixels again, and usual are ten."""

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP")
_TYPES = {form: f"image/{form.lower()}" for form in FORMATS}
_TYPES["MPO"] = "image/jpeg"  # a JPEG with more pictures behind the first
_ANIMATED = {"GIF", "PNG", "WEBP"}

# What Pillow's decoders are known to raise on damaged files.
BROKEN = (
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
    """The facts in a picture's header.

    Attributes:
        width: Pixels from left to right, as they lie in the file.
        height: Pixels from top to bottom, as they lie in the file.
        animated: Whether there are frames behind the first.
    """

    width: int
    height: int
    animated: bool


def image_type(content: bytes) -> str:
    """Decode a picture completely and return its MIME type.

    Raises:
        DatasetError: It cannot be used; the message begins with a verb.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with quiet():
            with Image.open(BytesIO(content), formats=FORMATS) as image:
                _refuse_bomb(image, content)
                if image.format == "PNG":  # its checksums are not looked at by `load`
                    image.verify()
            with Image.open(BytesIO(content), formats=FORMATS) as image:
                # JPEG alone can be decoded small: all data is read, in a fraction of the time.
                image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
                image.load()
                return _TYPES[image.format or ""]
    except UnidentifiedImageError:
        raise DatasetError("is not a PNG, JPEG, WebP, GIF or BMP picture; convert it") from None
    except Image.DecompressionBombError:
        raise DatasetError(TOO_MANY_PIXELS) from None
    except BROKEN as error:
        detail = short_reason(error)
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
        raise DatasetError(f"is a JPEG of more than {MAX_PASSES} passes; save it again")


@contextmanager
def quiet() -> Generator[None]:
    """Suppress Pillow's warnings."""
    # The filters belong to the whole process: one thread at a time may change them.
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def facts_known(media: Media) -> bool:
    """Return whether the facts on a picture are at hand, without reading its file."""
    return media in _facts


def image_facts(media: Media) -> ImageFacts:
    """Return the facts in a picture's header, cached for many pictures.

    Raises:
        DatasetError: The file is gone or is no picture.
    """
    known = _facts.get(media)
    if known is None:
        known = _read_facts(media)
        with _facts_lock:
            _facts[media] = known
            if len(_facts) > _MOST_FACTS:
                del _facts[next(iter(_facts))]
    return known


_MOST_FACTS = 2**15
_facts = dict[Media, ImageFacts]()
_facts_lock = threading.Lock()


def _read_facts(media: Media) -> ImageFacts:
    from PIL import Image

    try:
        with (
            Path(media.path).open("rb") as file,
            quiet(),
            Image.open(file, formats=FORMATS) as image,
        ):
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError("too many pixels")
            animated = image.format in _ANIMATED and _is_animated(image)
            return ImageFacts(image.width, image.height, animated)
    except (*BROKEN, Image.DecompressionBombError) as error:
        raise unusable(media, error) from error


def _is_animated(image: "Image") -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except BROKEN:
        return True  # something damaged lies behind the first frame


def unusable(media: Media, error: Exception) -> DatasetError:
    """Return the error for a picture that can no longer be read."""
    from PIL import UnidentifiedImageError

    reason = getattr(error, "strerror", None) or short_reason(error)
    if isinstance(error, UnidentifiedImageError):
        reason = "it is no picture any more"
    return DatasetError(
        f"image {media.path!r} cannot be read: {reason}; restore the file or fix the dataset"
    )
