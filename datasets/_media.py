"""Reading pictures and sounds: known by content, refused when they cannot be used."""

import hashlib
import os
import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path
from typing import Literal

from ._errors import DatasetError
from ._query import Media

MAX_MEDIA_BYTES = 64 * 1024 * 1024
"""Largest file accepted; a request carries it as text, a third longer still."""

MAX_PIXELS = 89_478_485
"""Largest picture accepted: as raw RGB it takes a quarter of a gibibyte."""

_IMAGE_TYPES = {
    "BMP": "image/bmp",
    "GIF": "image/gif",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # a JPEG with more pictures behind the first
    "PNG": "image/png",
    "WEBP": "image/webp",
}
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP")

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


def read_media(path: Path, *, kind: Literal["image", "audio"]) -> Media:
    """Read a file once: check that it is what it should be, and hash it.

    A picture is decoded in full, so that damage shows here and not in a
    provider's error.

    Args:
        path: The file; PNG, JPEG, WebP, GIF or BMP, or else WAV, MP3 or FLAC.
        kind: What it has to be.

    Raises:
        DatasetError: There is no such file, it is empty, too large, damaged,
            or of another format.
    """
    content = _read(path, kind)
    try:
        media_type = _image_type(content) if kind == "image" else _audio_type(content)
    except DatasetError as error:
        raise DatasetError(f"{kind} {str(path)!r} {error}") from error
    digest = hashlib.sha256(content).hexdigest()
    return Media(digest, media_type, len(content), str(path))


def _read(path: Path, kind: str) -> bytes:
    try:
        if not path.exists():
            raise DatasetError(f"{kind} {str(path)!r} does not exist; check the path")
        if not path.is_file():
            raise DatasetError(f"{kind} {str(path)!r} is not a file; name the {kind} itself")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            # A bound far above the size would be allocated in full.
            content = file.read(min(size, MAX_MEDIA_BYTES) + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(f"{kind} {str(path)!r} cannot be read: {reason}") from error
    if not content:
        raise DatasetError(f"{kind} {str(path)!r} is empty; put the real file in its place")
    if len(content) > MAX_MEDIA_BYTES:
        limit = MAX_MEDIA_BYTES // (1024 * 1024)
        raise DatasetError(f"{kind} {str(path)!r} is larger than {limit} MiB; make it smaller")
    return content


def _image_type(content: bytes) -> str:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(content), formats=_FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise Image.DecompressionBombError
                image.verify()
            with Image.open(BytesIO(content), formats=_FORMATS) as image:
                # JPEG alone can be decoded small: all data is read, in a fraction of the time.
                image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
                image.load()
                return _IMAGE_TYPES[image.format or ""]
    except UnidentifiedImageError:
        raise DatasetError("is not a PNG, JPEG, WebP, GIF or BMP picture; convert it") from None
    except Image.DecompressionBombError:
        limit = MAX_PIXELS // 1_000_000
        raise DatasetError(f"has more than {limit} million pixels; make it smaller") from None
    except _BROKEN as error:
        detail = " ".join(str(error).split())[:80] or type(error).__name__
        raise DatasetError(f"is damaged ({detail}); replace it") from error


def _audio_type(content: bytes) -> str:
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        if len(content) <= 44:  # a WAV header alone
            raise DatasetError("holds no sound; put the real file in its place")
        return "audio/wav"
    if content[:4] == b"fLaC":
        return "audio/flac"
    if content[:3] == b"ID3" or _is_mpeg_frame(content):
        return "audio/mpeg"
    raise DatasetError("is not a WAV, MP3 or FLAC sound; convert it")


def _is_mpeg_frame(content: bytes) -> bool:
    """Tell an MP3 frame by its sync bits and its layer (AAC has the same sync, layer 0)."""
    if len(content) < 4 or content[0] != 0xFF:
        return False
    return content[1] & 0xE0 == 0xE0 and content[1] & 0x06 == 0x02
