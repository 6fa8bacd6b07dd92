"""Validates media paths in query files: relative and portable."""

from pathlib import PurePosixPath, PureWindowsPath

from ...common import DatasetError
from ...common.text import quoted

_LONGEST = 1000


def check_relative(relative: str, kind: str) -> None:
    """Raise an error if a path is not relative and portable.

    Args:
        relative: The path as written in a line.
        kind: The kind of media, for the message.

    Raises:
        DatasetError: It is empty, too long, not valid text, or leaves the file's folder, even
            on Windows only.
    """
    posix, windows = PurePosixPath(relative), PureWindowsPath(relative)
    if len(relative) > _LONGEST:
        raise DatasetError(f"{kind} {quoted(relative)} is longer than {_LONGEST} characters")
    if not relative.strip():
        raise DatasetError(f"{kind} path is empty; write null where there is none")
    if any("\ud800" <= char <= "\udfff" for char in relative):
        raise DatasetError(f"{kind} {quoted(relative)} has a name that is not valid text")
    if posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise DatasetError(
            f"{kind} {quoted(relative)} leads out of the file's folder; "
            "put it inside and write its relative path"
        )
