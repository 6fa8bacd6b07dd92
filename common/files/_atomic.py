"""Files that appear whole or not at all, and files for their owner's eyes alone."""

import itertools
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_OWNERS = 0o600


@contextmanager
def replacing(path: Path, *, private: bool = False) -> Generator[BinaryIO]:
    """Open a file beside `path` that takes its place when the block ends well.

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
    """Make a file that only its owner may read, or take others' rights to one of ours.

    Raises:
        OSError: It cannot be made or written.
    """
    _private(path, "ab").close()
    with suppress(PermissionError):
        path.chmod(_OWNERS)


def private_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, and those above it alike.

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
