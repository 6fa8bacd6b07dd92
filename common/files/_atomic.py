"""Atomic writes, and files and folders that only their owner can read."""

import itertools
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_OWNERS = 0o600


@contextmanager
def atomic_write(path: Path, *, private: bool = False) -> Generator[BinaryIO]:
    """Write a file atomically: a temporary file replaces `path` when the block succeeds.

    Two processes may do this at once: each file is whole, the last one stays.

    Args:
        path: The file.
        private: Whether only its owner may read it (mode 600).
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with beside.open("xb") if not private else _private(beside, "xb") as file:
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def make_private(path: Path) -> None:
    """Create a file with permissions 0600, or restrict an existing one to them.

    Raises:
        OSError: It cannot be made or written.
    """
    _private(path, "ab").close()
    with suppress(PermissionError):
        path.chmod(_OWNERS)


def private_folder(path: Path) -> None:
    """Create a folder and its missing parents with permissions 0700.

    One that is there keeps its mode.

    Raises:
        OSError: It cannot be made.
    """
    # One by one: those that `mkdir` makes on the way would be open to others.
    missing = itertools.takewhile(lambda folder: not folder.is_dir(), (path, *path.parents))
    for folder in reversed([*missing]):
        folder.mkdir(mode=0o700, exist_ok=True)


def _private(path: Path, mode: str) -> BinaryIO:
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, _OWNERS))  # pyright: ignore[reportReturnType]
