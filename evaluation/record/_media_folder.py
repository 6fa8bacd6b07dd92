"""Checks a run's media against the hashes in their names."""

import hashlib
from pathlib import Path

from ...datasets import Media
from ._portable import MEDIA


class MediaFolder:
    """Checks the media of a run, each at most once.

    Args:
        directory: The run's directory.
        read: Whether to read and hash them, rather than only check that they exist.
        optional: Whether one that is not there is no problem.
    """

    def __init__(self, directory: Path, *, read: bool, optional: bool = False) -> None:
        self._folder = directory / MEDIA
        self._read = read
        self._optional = optional
        self._seen: dict[str, str | None] = {}

    def problem(self, media: Media) -> str | None:
        """Return the problem with a medium, None if it is fine."""
        if media.sha256 not in self._seen:
            self._seen[media.sha256] = self._check(media.sha256)
        return self._seen[media.sha256]

    def _check(self, sha256: str) -> str | None:
        try:
            if not self._read:
                (self._folder / sha256).stat()
                return None
            with (self._folder / sha256).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            if self._optional and isinstance(error, FileNotFoundError):
                return None
            return f"its medium {sha256[:12]} cannot be read ({error.strerror})"
        return None if found == sha256 else f"its medium {sha256[:12]} has different content"
