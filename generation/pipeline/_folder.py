"""Reads and writes the files of a set, readable by their owner only."""

import hashlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from ...common import DatasetError
from ...common.files import atomic_write, private_folder
from ...datasets import TAXONOMY_NAME

T = TypeVar("T", bound=msgspec.Struct)

CANDIDATES = "candidates.jsonl"
QUERIES = "queries.jsonl"
TWINS = "twins.jsonl"
PICTURES = "pictures.jsonl"
SPEECH = "speech.jsonl"
TAXONOMY = TAXONOMY_NAME
TAXONOMY_LOG = "taxonomy.jsonl"
SET = "set.jsonl"
"""The query file that `load_dataset` reads."""
MEDIA = "media"
"""The folder of pictures and recordings."""
COUNTS = "counts.json"
"""What each stage counted, by stage."""
_SIGNS = ("set.lock", "calls.sqlite")
"""Files that only the folder of a set has; the first is there before all others."""


def check_set_folder(path: Path) -> None:
    """Check that a folder is missing, empty except for dot files, or holds a set.

    Raises:
        DatasetError: It is a link, or holds what is not a set's.
    """
    if path.is_symlink():
        raise DatasetError(
            f"{path} is a link: name the folder that it points to by set.directory and set.name"
        )
    if not path.is_dir() or any((path / sign).exists() for sign in _SIGNS):
        return
    if any(not found.name.startswith(".") for found in path.iterdir()):
        raise DatasetError(
            f"{path} holds files that belong to no set: choose another set.name or "
            "set.directory, so that nothing is overwritten"
        )


def unwritable(where: str, error: OSError) -> DatasetError:
    """Return the error for a file that cannot be written."""
    return DatasetError(
        f"{where}: cannot be written ({error.strerror}): free some space or fix the "
        "permissions, then repeat the command"
    )


class SetFolder:
    """Reads and writes the files of a set.

    Folders are made with mode 700 and files with mode 600. A folder that is there
    keeps its mode.

    Args:
        path: The folder; made if it is missing.

    Raises:
        DatasetError: It cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            private_folder(path)
        except OSError as error:
            raise DatasetError(
                f"{path}: cannot be created or written ({error.strerror}): choose another directory"
            ) from error

    def read(self, name: str, kind: type[T]) -> Iterator[T]:
        """Yield the items of a file, none if it does not exist.

        Raises:
            DatasetError: A line is not such an item.
        """
        decoder = msgspec.json.Decoder(kind)
        try:
            with (self.path / name).open("rb") as file:
                for number, line in enumerate(file, 1):
                    try:
                        yield decoder.decode(line)
                    except msgspec.DecodeError as error:
                        raise DatasetError(f"{self.path / name}:{number}: {error}") from error
        except FileNotFoundError:
            return

    def write(self, name: str, items: Iterable[msgspec.Struct]) -> int:
        """Write items to a file, atomically, and return how many."""
        count = 0
        encoder = msgspec.json.Encoder()
        with self._replacing(name) as file:
            for item in items:
                file.write(encoder.encode(item) + b"\n")
                count += 1
        return count

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a file atomically."""
        with self._replacing(name) as file:
            file.write(content)

    def remove(self, name: str) -> None:
        """Remove a file if it exists.

        Raises:
            DatasetError: It cannot be removed.
        """
        path = self.path / name
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise DatasetError(f"{path}: cannot be removed ({error.strerror})") from error

    def exists(self, name: str) -> bool:
        """Return whether a file exists."""
        return (self.path / name).is_file()

    def hash_of(self, name: str) -> str | None:
        """Return the SHA-256 of a file, None if it does not exist."""
        try:
            with (self.path / name).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except (FileNotFoundError, IsADirectoryError):
            return None

    def count(self, stage: str, counts: dict[str, int]) -> None:
        """Save the counts of a stage.

        Raises:
            DatasetError: The file cannot be read or written.
        """
        kept = self.counts()
        kept[stage] = counts
        self.write_bytes(COUNTS, msgspec.json.format(msgspec.json.encode(kept), indent=2))

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the saved counts, by stage.

        Raises:
            DatasetError: The file does not hold that.
        """
        if not self.exists(COUNTS):
            return {}
        path = self.path / COUNTS
        try:
            return msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, int]])
        except msgspec.DecodeError as error:
            raise DatasetError(
                f"{path}: {error}; delete it and repeat the command, which writes it again"
            ) from error

    @contextmanager
    def _replacing(self, name: str) -> Generator[BinaryIO]:
        path = self.path / name
        try:
            private_folder(path.parent)
            with atomic_write(path, private=True) as file:
                yield file
        except OSError as error:
            raise unwritable(str(path), error) from error
