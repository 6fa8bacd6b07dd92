"""Media that a set holds within its tables, in a folder that goes when the set does."""

import weakref
from pathlib import Path
from tempfile import TemporaryDirectory

_folders: set[Path] = set()


def kept_folder(owner: object) -> Path:
    """Return a new temporary folder that is removed when its owner is collected."""
    folder = TemporaryDirectory(prefix="safejury-")
    path = Path(folder.name).resolve()
    _folders.add(path)
    weakref.finalize(owner, _remove, folder, path)
    return path


def is_kept(path: Path) -> bool:
    """Return whether a resolved path lies in such a folder, so that it will not last."""
    return not _folders.isdisjoint(path.parents)


def _remove(folder: "TemporaryDirectory[str]", path: Path) -> None:
    _folders.discard(path)
    folder.cleanup()
