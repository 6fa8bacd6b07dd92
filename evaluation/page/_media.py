"""Names pictures and sounds by what their bytes are, never by what a record says they are."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...common.files import open_regular
from ...datasets import Media

_SHA256 = re.compile("[0-9a-f]{64}")
HEAD = 64
"""First bytes by which a picture or sound is known."""
_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"GIF87a", "image/gif", "gif"),
    (b"GIF89a", "image/gif", "gif"),
    (b"BM", "image/bmp", "bmp"),
    (b"fLaC", "audio/flac", "flac"),
    (b"OggS", "audio/ogg", "ogg"),
    (b"ID3", "audio/mpeg", "mp3"),
)
_IN_RIFF = {b"WEBP": ("image/webp", "webp"), b"WAVE": ("audio/wav", "wav")}
_IN_BOX = {
    b"avif": ("image/avif", "avif"),
    b"M4A ": ("audio/mp4", "m4a"),
    b"M4B ": ("audio/mp4", "m4a"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture or sound of a case, as a page refers to it.

    Attributes:
        sha256: Hash of its bytes.
        kind: `image` or `audio`, by its bytes; what the record says where it is not shown.
        media_type: By its bytes; empty where it is not shown.
        name: The file in the page's folder `media`; empty where it is not shown.
        size: Bytes, as recorded.
        why: Why it is not shown, empty where it is.
        source: The file in the run's directory.
    """

    sha256: str
    kind: str
    media_type: str
    name: str
    size: int
    why: str
    source: Path


def shown_media(
    media: Iterable[Media], folder: Path, pruned: frozenset[str] = frozenset()
) -> Iterator[Shown]:
    """Yield how a page shows each medium of a case.

    Args:
        media: As recorded, named by their hashes.
        folder: Where the run keeps them.
        pruned: Hashes of those that were removed on purpose.
    """
    for medium in dict.fromkeys(media):
        path = folder / medium.sha256
        said = medium.media_type.partition("/")[0]
        if _SHA256.fullmatch(medium.sha256) is None:  # a record may come from anybody
            why = "it is not named by its SHA-256: safejury did not write this"
            yield Shown(medium.sha256, said, "", "", medium.size, why, folder)
            continue
        try:
            kind = kind_of_file(path)
            changed = not is_as_recorded(path)
        except OSError as error:
            gone = isinstance(error, FileNotFoundError)
            lost = "it was pruned" if medium.sha256 in pruned else "its file is gone"
            why = lost if gone else f"its file cannot be read ({error.strerror})"
            yield Shown(medium.sha256, said, "", "", medium.size, why, path)
            continue
        if kind is None:
            why = "its bytes are of no kind that a page shows"
            yield Shown(medium.sha256, said, "", "", medium.size, why, path)
            continue
        if changed:
            why = "its file was changed after it was recorded"
            yield Shown(medium.sha256, said, "", "", medium.size, why, path)
            continue
        media_type, suffix = kind
        name = f"{medium.sha256}.{suffix}"
        kind_of = media_type.partition("/")[0]
        yield Shown(medium.sha256, kind_of, media_type, name, medium.size, "", path)


def kind_of_file(path: Path) -> tuple[str, str] | None:
    """Return the MIME type and suffix of a medium's file; see `media_kind`.

    Raises:
        OSError: It is no file, or cannot be read.
    """
    with open_regular(path) as file:
        return media_kind(file.read(HEAD))


def is_as_recorded(path: Path) -> bool:
    """Return whether a medium's file, named by its hash, holds what the jury was given.

    Raises:
        OSError: It is no file, or cannot be read.
    """
    now = path.stat()
    return _sha256(path, now.st_size, now.st_mtime_ns) == path.name


@lru_cache(maxsize=4_096)
def _sha256(path: Path, size: int, changed_ns: int) -> str:
    """Return the hash of a file of this size and time: the same medium is in many cases."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def media_kind(head: bytes) -> tuple[str, str] | None:
    """Return the MIME type and suffix of a picture or sound, None for all else.

    SVG, HTML and everything that could carry a script is all else.

    Args:
        head: Its first `HEAD` bytes.
    """
    for start, media_type, suffix in _STARTS:
        if head.startswith(start):
            return media_type, suffix
    if head.startswith(b"RIFF"):
        return _IN_RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _IN_BOX.get(head[8:12])
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # a frame of MPEG layer 3
        return "audio/mpeg", "mp3"
    return None
