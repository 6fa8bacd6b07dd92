"""Writes a page as a folder that opens from disk."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...common.files import private_folder
from ._assets import assets
from ._figures import figure_files
from ._folder import whole_folder
from ._pieces import piece, piece_names, script
from ._source import PageSource

Progress = Callable[[int, int], None]
"""Told how many cases are written, and how many there are."""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """What was written.

    Attributes:
        index: The file to open.
        cases: Cases in it.
        media: Pictures and sounds in it.
        gone: Pictures and sounds that are not in it, because their files are gone or changed.
    """

    index: Path
    cases: int
    media: int
    gone: int


def write_page(
    source: PageSource, folder: Path, progress: Progress = lambda done, of: None
) -> WrittenPage:
    """Write a page as a folder, whole or not at all; only its owner may read it.

    One piece at a time is in memory, whatever the number of cases.

    Args:
        source: The runs.
        folder: Where to write. A page that is there is replaced.
        progress: Told how many cases are written, and how many there are.

    Raises:
        ConfigurationError: It cannot be written, or something else is there.
        RecordChangedError: A case was changed after it was recorded.
    """
    _ = source.summaries  # refuses a changed record before anything is written
    with whole_folder(folder) as place:
        for name, content in assets():
            _write(place / name, content)
        for name, content in figure_files(source):
            _write(place / name, content)
        media = _Media(place / "media")
        for name in piece_names(source):
            data = piece(source, name)
            assert data is not None
            if name.startswith("cases-"):
                media.copy(source, data)
                progress(data["start"] + len(data["cases"]), source.count)
            _write(place / "data" / f"{name}.js", script(name, data))
    return WrittenPage(folder / "index.html", source.count, media.copied, media.gone)


class _Media:
    """Copies the media of cases, each once.

    Args:
        folder: Where to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lost = set[str]()
        self.copied = 0

    @property
    def gone(self) -> int:
        """How many were not there to be copied."""
        return len(self._lost)

    def copy(self, source: PageSource, data: dict[str, Any]) -> None:
        """Copy the media of a piece; one that is not what the record says is named as gone."""
        for case in data["cases"]:
            for medium in case.get("media", ()):
                if not medium["name"]:
                    self._lost.add(medium["sha256"])
                    continue
                path = source.media_folder(case["run"]) / medium["sha256"]
                if why := self._copied(path, medium["name"], medium["sha256"]):
                    medium |= {"name": "", "type": "", "why": why}
                    self._lost.add(medium["sha256"])

    def _copied(self, path: Path, name: str, sha256: str) -> str:
        """Copy a medium unless it is there already, and return why not, empty on success."""
        target = self._folder / name
        if target.exists():
            return ""
        digest = hashlib.sha256()
        try:
            with path.open("rb") as file:
                private_folder(self._folder)
                with _private(target) as copy:
                    while chunk := file.read(_CHUNK):
                        digest.update(chunk)
                        copy.write(chunk)
        except FileNotFoundError:
            return "its file is gone"
        if digest.hexdigest() != sha256:
            target.unlink()
            return "its file was changed after it was recorded"
        self.copied += 1
        return ""


def _write(path: Path, content: bytes) -> None:
    private_folder(path.parent)
    with _private(path) as file:
        file.write(content)


def _private(path: Path):
    return open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600))
