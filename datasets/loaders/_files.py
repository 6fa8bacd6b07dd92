"""The pictures and sounds of a set: inside its folder, or refused."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Literal

from .._errors import DatasetError
from .._media import MAX_MEDIA_BYTES, read_media
from .._nearest import quoted
from .._query import Media


class MissingFileError(DatasetError):
    """A picture or a sound is not there."""


class SetFiles:
    """Reads the media of a set.

    Args:
        folder: The set's folder; nothing outside it is read.
        kept: A folder for media that the set holds within a table.
    """

    def __init__(self, folder: Path, kept: Path) -> None:
        self._folder = folder
        self._resolved = folder.resolve()
        self._kept = kept
        # One picture may go with many texts.
        self._read = lru_cache(maxsize=64)(read_media)

    def media(self, place: Path | bytes, kind: Literal["image", "audio"]) -> Media:
        """Return a picture or a sound.

        Args:
            place: Its path, absolute or within the set's folder; or its bytes.
            kind: What it has to be.

        Raises:
            MissingFileError: It is not there.
            DatasetError: It lies outside the folder, or is not what it should be.
        """
        if isinstance(place, bytes):
            return read_media(self._unpack(place, kind), kind=kind)
        shown = quoted(str(self._shown(place)))
        path = self._inside(place, f"the {kind} {shown}")
        try:
            if not path.exists():
                raise MissingFileError(f"the {kind} {shown} is missing")
            return self._read(path, kind=kind)
        except MissingFileError:
            raise
        except DatasetError as error:
            raise DatasetError(str(error).replace(repr(str(path)), shown, 1)) from None
        except (OSError, ValueError) as error:
            raise DatasetError(f"the {kind} {shown} cannot be read: {error}") from None

    def _inside(self, place: Path, shown: str) -> Path:
        path = self._folder / place
        if ".." in self._shown(place).parts or not path.is_relative_to(self._folder):
            raise DatasetError(f"{shown} leads out of the set's folder")
        try:
            escapes = not path.resolve().is_relative_to(self._resolved)
        except (OSError, RuntimeError, ValueError) as error:
            raise DatasetError(f"{shown} is not a usable path: {error}") from None
        if escapes:
            raise DatasetError(f"{shown} is a link out of the set's folder")
        return path

    def _shown(self, place: Path) -> Path:
        return place.relative_to(self._folder) if place.is_relative_to(self._folder) else place

    def _unpack(self, content: bytes, kind: str) -> Path:
        if not content:
            raise MissingFileError(f"the {kind} within the table is empty")
        if len(content) > MAX_MEDIA_BYTES:
            limit = MAX_MEDIA_BYTES // (1024 * 1024)
            raise DatasetError(f"the {kind} within the table is larger than {limit} MiB")
        path = self._kept / hashlib.sha256(content).hexdigest()
        if not path.exists():
            path.write_bytes(content)
        return path
