"""Caches media files and the result of each request for one."""

import hashlib
from typing import TypeVar

import msgspec

from ...datasets import Media
from ._folder import MEDIA, SetFolder

T = TypeVar("T", bound=msgspec.Struct)


class MediaCache:
    """Caches media by the hash of their content, and results by the hash of the request.

    Args:
        folder: The set's folder.
        name: The folder of the results within it.
        media_type: Of all media, such as `image/png`.
    """

    def __init__(self, folder: SetFolder, name: str, media_type: str) -> None:
        self._folder = folder
        self._name = name
        self._type = media_type

    def find(self, kind: type[T], *request: str | float) -> T | None:
        """Return the cached result of a request, None if there is none or it cannot be read.

        Args:
            kind: What the result is.
            request: All that decides it.
        """
        try:
            content = (self._folder.path / self._place(request)).read_bytes()
            return msgspec.json.decode(content, type=kind)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def keep(self, result: msgspec.Struct, *request: str | float) -> None:
        """Cache the result of a request; see `find`.

        Raises:
            DatasetError: It cannot be written.
        """
        self._folder.write_bytes(self._place(request), msgspec.json.encode(result))

    def add(self, content: bytes) -> str:
        """Write a media file and return its SHA-256.

        Raises:
            DatasetError: It cannot be written.
        """
        digest = hashlib.sha256(content).hexdigest()
        self._folder.write_bytes(self.file_of(digest), content)
        return digest

    def has(self, sha256: str | None) -> bool:
        """Return whether a media file exists and is undamaged."""
        return sha256 is not None and self._folder.hash_of(self.file_of(sha256)) == sha256

    def file_of(self, sha256: str) -> str:
        """Return the path of a media file within the set's folder."""
        return f"{MEDIA}/{sha256}.{self._type.partition('/')[2]}"

    def media(self, sha256: str) -> Media:
        """Return a reference to a media file."""
        path = self._folder.path / self.file_of(sha256)
        return Media(sha256, self._type, path.stat().st_size, str(path))

    def _place(self, request: tuple[str | float, ...]) -> str:
        digest = hashlib.sha256(msgspec.json.encode(request)).hexdigest()
        return f"{self._name}/{digest}.json"
