"""The media that a run keeps, checked against the hashes that name them."""

import hashlib
from pathlib import Path

from ...datasets import Media
from ._portable import MEDIA


class MediaFolder:
    """The media of a run, each of them read once at most.

    Args:
        directory: The run's directory.
        read: Whether to read them, not only to see that they are there.
    """

    def __init__(self, directory: Path, *, read: bool) -> None:
        self._folder = directory / MEDIA
        self._read = read
        self._seen: dict[str, str | None] = {}

    def problem(self, media: Media) -> str | None:
        """Return what is wrong with a medium, None where nothing is."""
        if media.sha256 not in self._seen:
            self._seen[media.sha256] = self._look(media.sha256)
        return self._seen[media.sha256]

    def _look(self, sha256: str) -> str | None:
        try:
            if not self._read:
                (self._folder / sha256).stat()
                return None
            with (self._folder / sha256).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            return f"its medium {sha256[:12]} cannot be read ({error.strerror})"
        return None if found == sha256 else f"its medium {sha256[:12]} has another content"
