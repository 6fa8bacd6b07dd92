"""Finds the pictures that a file of responses names."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ...common import ConfigurationError, DatasetError
from ...common.text import quoted


class PictureFolders:
    """Finds pictures in the allowed folders only.

    Args:
        beside: The folders that a file's own names may start from, the likeliest first.
        elsewhere: The folder in which a user says that they lie, None for those beside. Names
            that lead elsewhere, as they were where the file was made, are looked for below
            it without their first folders: as few as it takes for the first that is found,
            and then as many for all.

    Raises:
        ConfigurationError: There is no such folder.
    """

    def __init__(self, beside: tuple[Path, ...], elsewhere: Path | None) -> None:
        if elsewhere is not None and not elsewhere.is_dir():
            raise ConfigurationError(
                f"{elsewhere}: is not a folder: name the folder with the file's pictures"
            )
        self._elsewhere = elsewhere
        self._folders = beside if elsewhere is None else (elsewhere.resolve(),)
        self._dropped: int | None = None

    def find(self, name: str) -> Path:
        """Return the path of a picture.

        Raises:
            DatasetError: It is in none of the folders.
        """
        if self._elsewhere is not None:
            return self._below(self._folders[0], name)
        for folder in self._folders:
            if path := _inside(folder, name):
                return path
        raise DatasetError(
            f"its picture {quoted(name)} is not in {str(self._folders[-1])!r}: put it there, or "
            "name the folder in which the pictures lie (--pictures, or `pictures:` of the target)"
        )

    def _below(self, folder: Path, name: str) -> Path:
        parts = tuple(_steps(name))
        every = range(len(parts))
        for dropped in every if self._dropped is None else every[self._dropped : self._dropped + 1]:
            if path := _inside(folder, str(PurePosixPath(*parts[dropped:]))):
                self._dropped = dropped
                return path
        first = "folder" if self._dropped == 1 else f"{self._dropped} folders"
        without = f" without its first {first}" if self._dropped else ""
        raise DatasetError(
            f"its picture {quoted(name)} is not in {str(self._elsewhere)!r}{without}: put it there"
        )


def _steps(name: str) -> Iterator[str]:
    """Yield the parts of a path from any operating system."""
    for step in name.replace("\\", "/").split("/"):
        if step not in ("", ".", "..") and not step.endswith(":"):
            yield step


def _inside(folder: Path, name: str) -> Path | None:
    """Return the file with this name in a folder, None if there is none."""
    try:
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder) and path.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None
