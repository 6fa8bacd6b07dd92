"""Atomic writes, and files and folders that only their owner can read."""

import itertools
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from errno import EINVAL
from io import BufferedReader
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


def append_line(path: Path, line: bytes) -> None:
    """Add a line to a file that only its owner can read; it is on the disk when this returns.

    What is there is left as it is: half a line, of a crash or a full disk, ends before this one,
    and where this one cannot be written whole, nothing of it stays.

    Raises:
        OSError: It cannot be written.
    """
    make_private(path)
    with path.open("r+b", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        lead = b""
        if end:
            file.seek(end - 1)
            lead = b"" if file.read(1) == b"\n" else b"\n"
        try:
            left = memoryview(lead + line + b"\n")
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                os.truncate(path, end)
            raise


def open_regular(path: Path) -> BufferedReader:
    """Open a file to read it to its end, which a pipe or a device may not have.

    Raises:
        OSError: It is no file, or cannot be read.
    """
    if path.exists() and not path.is_file():
        raise OSError(EINVAL, "it is no regular file")
    return path.open("rb")


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
