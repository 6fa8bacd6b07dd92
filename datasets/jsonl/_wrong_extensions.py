"""Finds media whose file extension does not match their content."""

from pathlib import PurePosixPath

from ...common.text import quoted
from ..media import SUFFIXES

_ENDINGS = {".jpeg": "image/jpeg", **{suffix: kind for kind, suffix in SUFFIXES.items()}}


class WrongExtensions:
    """Counts media with a wrong file extension; an unknown extension is not wrong."""

    def __init__(self) -> None:
        self._count = 0
        self._first = ""

    def look(self, path: str, media_type: str) -> None:
        """Check one media file, given its path in the dataset and its actual type."""
        if _ENDINGS.get(PurePosixPath(path).suffix.lower(), media_type) == media_type:
            return
        self._count += 1
        self._first = self._first or f"{quoted(path)} is {media_type}"

    def notes(self) -> tuple[str, ...]:
        """Return a warning for the user, nothing if all extensions match."""
        if not self._count:
            return ()
        number = "1 medium has" if self._count == 1 else f"{self._count} media have"
        return (f"{number} a wrong file extension ({self._first}): the content decides",)
