"""Temporary files of items that a stage needs while it runs."""

import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Self, TypeVar

import msgspec

from ._folder import SetFolder, unwritable

T = TypeVar("T", bound=msgspec.Struct)
UNFINISHED = "unfinished"


class ItemWriter:
    """Writes items to a file, one by one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._encoder = msgspec.json.Encoder()

    def add(self, item: msgspec.Struct) -> None:
        """Write an item.

        Raises:
            DatasetError: The disk is full.
        """
        try:
            self._file.write(self._encoder.encode(item) + b"\n")
        except OSError as error:
            raise unwritable(self._file.name, error) from error


class TemporaryItems:
    """A folder of temporary files of items, removed when the stage ends.

    Use it as a context manager: it begins empty. A stage that fails leaves nothing
    of it either, for its calls are in the journal.

    Args:
        folder: The set's folder.
        stage: The stage's name.
    """

    def __init__(self, folder: SetFolder, stage: str) -> None:
        self._folder = folder
        self._name = f"{UNFINISHED}/{stage}"
        self._path = folder.path / self._name

    def __enter__(self) -> Self:
        shutil.rmtree(self._path, ignore_errors=True)
        try:
            # One by one: of parents that are made on the way, others could read.
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._path.mkdir(mode=0o700)
        except OSError as error:
            raise unwritable(str(self._path), error) from error
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._path, ignore_errors=True)
        if self._path.parent.is_dir() and not any(self._path.parent.iterdir()):
            self._path.parent.rmdir()

    @contextmanager
    def writer(self, name: str) -> Generator[ItemWriter]:
        """Open a new file of items, which can be read once it is closed.

        Raises:
            DatasetError: It cannot be written.
        """
        path = self._path / name
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                yield ItemWriter(file)
        except OSError as error:
            raise unwritable(str(path), error) from error

    def read(self, name: str, kind: type[T]) -> Iterator[T]:
        """Yield the items of a file, none if it does not exist."""
        return self._folder.read(f"{self._name}/{name}", kind)
