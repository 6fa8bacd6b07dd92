"""Reads pictures and audio: detects the type by content and rejects invalid files."""

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from ...common import DatasetError
from ...common.files import lfs_pointer
from ...common.text import quoted
from ..query import NOUNS, Media, MediaKind
from ._image_file import image_type
from ._sound_file import sound_type

MAX_MEDIA_BYTES = 64 * 1024 * 1024
"""Largest file accepted; a request carries it as text, a third longer still."""
_BUNDLED = Path(__file__).parents[1] / "mini" / "pictures.sha256"
SUFFIXES = {
    "audio/flac": ".flac",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
}
"""File extensions by MIME type."""


def read_media(path: Path, *, kind: MediaKind) -> Media:
    """Read a media file once, check its type and hash it.

    A picture is decoded in full and the frames of a sound are walked, so that damage
    shows here and not in a provider's error. Pictures of the bundled set were decoded when
    they were made, and are known by their hashes. A video is known by its first bytes alone:
    it passes through, and is never decoded here.

    Args:
        path: The file; PNG, JPEG, WebP, GIF or BMP, or else WAV, MP3 or FLAC, or MP4 or WebM.
        kind: The required kind of media.

    Raises:
        DatasetError: There is no such file, it is empty, too large, damaged,
            or of another format.
    """
    content = _read(path, kind)
    if why := lfs_pointer(content):
        raise DatasetError(f"{kind} {str(path)!r} {why}")
    digest = hashlib.sha256(content).hexdigest()
    try:
        is_known = kind == "image" and digest in _bundled_pngs()
        media_type = "image/png" if is_known else _TYPES[kind](content)
    except DatasetError as error:
        raise DatasetError(f"{kind} {str(path)!r} {error}") from error
    return Media(digest, media_type, len(content), str(path))


@cache
def _bundled_pngs() -> frozenset[str]:
    """Return the hashes of the pictures of the bundled set, as `sha256sum` lists them."""
    try:
        listed = _BUNDLED.read_text(encoding="ascii")
    except OSError:
        return frozenset()  # they are decoded then
    return frozenset(line.split()[0] for line in listed.splitlines())


def data_in(address: str, kind: MediaKind) -> bytes | None:
    """Return the bytes of a `data:` URL, None if the text is not one.

    Args:
        address: What a file of another tool says where a medium is.
        kind: The required kind of media.

    Raises:
        DatasetError: It holds no base64, or the medium lies elsewhere.
    """
    if address.startswith("data:"):
        header, comma, body = address.partition(",")
        try:
            if not comma or not header.endswith(";base64"):
                raise ValueError
            return base64.b64decode(body, validate=True)
        except ValueError:
            raise DatasetError(f"its {NOUNS[kind]} is no base64 that can be read") from None
    if "://" in address:
        raise DatasetError(
            f"its {NOUNS[kind]} {quoted(address)} is elsewhere: save it beside the file, and name "
            "it by its path"
        )
    return None


def _video_type(content: bytes) -> str:
    if content[4:8] == b"ftyp":
        return "video/mp4"
    if content.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm"
    raise DatasetError("is not an MP4 or WebM video; convert it")


_TYPES: Mapping[MediaKind, Callable[[bytes], str]] = {
    "image": image_type,
    "audio": sound_type,
    "video": _video_type,
}


def _read(path: Path, kind: str) -> bytes:
    try:
        if not path.exists():
            raise DatasetError(f"{kind} {str(path)!r} does not exist; check the path")
        if not path.is_file():
            raise DatasetError(f"{kind} {str(path)!r} is not a file; name the {kind} itself")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_MEDIA_BYTES:
                limit = MAX_MEDIA_BYTES // (1024 * 1024)
                raise DatasetError(
                    f"{kind} {str(path)!r} is larger than {limit} MiB; make it smaller"
                )
            # A bound far above the size would be allocated in full.
            content = file.read(size + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(f"{kind} {str(path)!r} cannot be read: {reason}") from error
    if not content:
        raise DatasetError(f"{kind} {str(path)!r} is empty; put the real file in its place")
    return content
