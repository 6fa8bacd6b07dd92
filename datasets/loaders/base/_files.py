"""Reads the pictures and audio of a dataset; files outside its folder are rejected."""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import gettempdir

from ....common import DatasetError
from ....common.text import quoted
from ...media import MAX_MEDIA_BYTES, data_in, read_media
from ...query import Media, MediaKind


class MissingFileError(DatasetError):
    """A picture or an audio file is missing."""


class NoRoomError(DatasetError):
    """The temporary folder has no room for the dataset's media."""

    def __init__(self, why: object) -> None:
        super().__init__(
            f"the temporary folder {gettempdir()} cannot hold what is needed of the set ({why}): "
            "free some space, or name another folder in TMPDIR"
        )


def reason(error: Exception) -> object:
    """Return a system error's reason without its path, which the message already has."""
    return getattr(error, "strerror", None) or error


@contextmanager
def naming_file(place: object) -> Generator[None]:
    """Add the file's place to an error about reading it, unless the error names it.

    Raises:
        DatasetError: Something within cannot be read.
    """
    try:
        yield
    except OSError as error:
        raise DatasetError(f"{error.filename or place}: cannot be read: {reason(error)}") from error


def place_of(address: str, folder: Path, kind: MediaKind) -> Path | bytes:
    """Return the path of media named in a table, or the bytes of a `data:` URL.

    Args:
        address: A path within a folder, or a `data:` address.
        folder: That folder.
        kind: The required kind of media.

    Raises:
        DatasetError: It is neither.
    """
    content = data_in(address, kind)
    return folder / address if content is None else content


class SetFiles:
    """Reads the media of a dataset.

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

    def media(self, place: Path | bytes, kind: MediaKind) -> Media:
        """Read a picture or an audio file.

        Args:
            place: The path, absolute or within the dataset's folder; or the bytes.
            kind: The required kind of media.

        Raises:
            MissingFileError: It does not exist.
            DatasetError: It lies outside the folder, or is invalid.
            NoRoomError: Its bytes cannot be stored.
        """
        if isinstance(place, bytes):
            return self._within_table(place, kind)
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
            raise DatasetError(f"the {kind} {shown} cannot be read: {reason(error)}") from None

    def _inside(self, place: Path, shown: str) -> Path:
        path = self._folder / place
        climbs = ".." in self._shown(place).parts
        try:
            escapes = not path.resolve().is_relative_to(self._resolved)
        except (OSError, RuntimeError, ValueError) as error:
            raise DatasetError(f"{shown} is not a valid path: {reason(error)}") from None
        if climbs or (escapes and not path.is_relative_to(self._folder)):
            raise DatasetError(f"{shown} leads out of the set's folder")
        if escapes:
            raise DatasetError(f"{shown} is a link out of the set's folder")
        return path

    def _shown(self, place: Path) -> Path:
        return place.relative_to(self._folder) if place.is_relative_to(self._folder) else place

    def _within_table(self, content: bytes, kind: MediaKind) -> Media:
        path = self._unpack(content, kind)
        try:
            return read_media(path, kind=kind)
        except DatasetError as error:
            said = str(error).replace(repr(str(path)), "within the table", 1)
            raise DatasetError(f"the {said}") from None

    def _unpack(self, content: bytes, kind: str) -> Path:
        if not content:
            raise MissingFileError(f"the {kind} within the table is empty")
        if len(content) > MAX_MEDIA_BYTES:
            limit = MAX_MEDIA_BYTES // (1024 * 1024)
            raise DatasetError(f"the {kind} within the table is larger than {limit} MiB")
        path = self._kept / hashlib.sha256(content).hexdigest()
        try:
            if not path.exists():
                path.write_bytes(content)
        except OSError as error:
            raise NoRoomError(reason(error)) from error
        return path
