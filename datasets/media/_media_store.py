"""Stores media files by content hash."""

import hashlib
from pathlib import Path

from ...common.files import atomic_write, private_folder
from ..query import Media
from ._media_bytes import is_copied
from ._temporary_folder import temporary_folder


class MediaStore:
    """Stores pictures and audio once each as `<folder>/<sha256>`, permissions 0600.

    Args:
        folder: Where they lie; made when the first is kept. None for a temporary folder, which
            is removed with the store.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def keep(self, content: bytes, media_type: str) -> Media:
        """Store bytes unless they are already there, and return the reference to them.

        Args:
            content: The file's bytes.
            media_type: Its MIME type, such as `image/png`.

        Raises:
            OSError: The folder cannot be written.
        """
        if self._folder is None:
            self._folder = temporary_folder(self)
        digest = hashlib.sha256(content).hexdigest()
        path = self._folder / digest
        media = Media(digest, media_type, len(content), str(path))
        if not is_copied(media, path):
            private_folder(self._folder)
            with atomic_write(path, private=True) as file:
                file.write(content)
        return media
