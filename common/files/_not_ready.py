"""Recognizes compressed files and Git LFS pointers by their first bytes."""

from contextlib import suppress
from pathlib import Path

from .._errors import DatasetError

_MARKS = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
)
_POINTER = b"version https://git-lfs.github.com/spec/"
HEAD_BYTES = len(_POINTER)
"""Bytes that tell such a file."""


def not_ready(head: bytes) -> str | None:
    """Return what is wrong if the first bytes are of a compressed file or a Git LFS pointer."""
    name = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    return lfs_pointer(head) if name is None else f"is compressed ({name}): unpack it first"


def lfs_pointer(head: bytes) -> str | None:
    """Return what is wrong if the first bytes are of a Git LFS pointer, else None."""
    if not head.startswith(_POINTER):
        return None
    return "is a Git LFS pointer, not the file: run `git lfs pull` where it was cloned"


def refuse_pointer(path: Path) -> None:
    """Raise an error if a file is only a Git LFS pointer.

    An unreadable file passes: reading it raises its own error.

    Raises:
        DatasetError: It is one.
    """
    with suppress(OSError), path.open("rb") as file:
        if why := lfs_pointer(file.read(HEAD_BYTES)):
            raise DatasetError(f"{path}: {why}")
