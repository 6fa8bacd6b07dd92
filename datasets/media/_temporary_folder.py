"""Temporary folders for media that a dataset embeds in its tables."""

import weakref
from pathlib import Path
from tempfile import TemporaryDirectory

_folders: set[Path] = set()


def temporary_folder(owner: object) -> Path:
    """Create a temporary folder that is removed when its owner is garbage-collected."""
    folder = TemporaryDirectory(prefix="safejury-")
    path = Path(folder.name).resolve()
    _folders.add(path)
    weakref.finalize(owner, _remove, folder, path)
    return path


def is_temporary(path: Path) -> bool:
    """Return whether a resolved path lies in such a temporary folder."""
    return not _folders.isdisjoint(path.parents)


def _remove(folder: "TemporaryDirectory[str]", path: Path) -> None:
    _folders.discard(path)
    folder.cleanup()
