"""Keeps what a database did not get before a driver gave it up, for the next command."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ....common import RecordError
from ....common.files import atomic_write
from ._group import Group

UNSENT = "record.unsent.json"


class _Unsent(msgspec.Struct):
    """What the file holds: groups of one run, which its token tells from others."""

    token: str
    groups: list[Group]


def keep_unsent(directory: Path, token: str, groups: Sequence[Group]) -> None:
    """Write groups into a file of the run's directory.

    Raises:
        OSError: It cannot be written.
    """
    if groups:
        with atomic_write(directory / UNSENT, private=True) as file:
            file.write(msgspec.json.encode(_Unsent(token, list(groups))))


def unsent(directory: Path, token: str) -> list[Group]:
    """Return the groups that the file holds of a run; none where there is no file.

    Raises:
        RecordError: It cannot be read.
    """
    path = directory / UNSENT
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Unsent)
        return found.groups if found.token == token else []
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        raise RecordError(
            f"{path}: cannot be read ({error}): without it what it holds is paid again."
        ) from None


def forget_unsent(directory: Path) -> None:
    """Delete the file, once the database has what it holds."""
    (directory / UNSENT).unlink(missing_ok=True)
