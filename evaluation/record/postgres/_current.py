"""Brings a run's directory up to date before it is read, where a database keeps the record."""

import os
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from ....common import RecordError
from .._media import MEDIA
from .._schema import RECORD
from ._copy import bring_up_to_date
from ._place import POINTER, Place

_driven = list[Path]()
"""Directories whose runs this process drives, which brings them up to date itself: one for each
block that says so, as one may stand within another."""


def keep_current(directory: Path) -> None:
    """Bring the record in a run's directory up to date, unless it is nowhere else.

    Raises:
        RecordError: The database that keeps it cannot be read.
    """
    place = Place.kept(directory)
    if place is None or directory.resolve() in _driven:
        return
    if (directory / RECORD).is_file() and not os.access(directory, os.W_OK):
        return  # of a copy on read-only media only what is there can be read
    try:
        bring_up_to_date(place, directory, RECORD, MEDIA)
    except RecordError as error:
        raise RecordError(
            f"{str(error).rstrip('.')}: {directory / POINTER} says that the record of this run is "
            "there; without that file what was copied before is read."
        ) from None


@contextmanager
def driven(directory: Path) -> Generator[None]:
    """Let this process bring a run's directory up to date itself within the block."""
    place = directory.resolve()
    _driven.append(place)
    try:
        yield
    finally:
        _driven.remove(place)


def as_copied(directory: Path) -> AbstractContextManager[None]:
    """Let what is in a run's directory be read as it was copied last within the block."""
    return driven(directory)


def database_of(directory: Path) -> str | None:
    """Return the address of the database that keeps a run's record, None where none is known."""
    try:
        place = Place.kept(directory)
    except RecordError:  # whoever reads the run says so
        return None
    return None if place is None else place.shown


def refuse_copy(directory: Path, do: str) -> None:
    """Refuse to write to a record in a directory that is the copy of one in a database.

    Args:
        directory: The run's directory.
        do: What to do instead.

    Raises:
        RecordError: It is.
    """
    if (place := Place.kept(directory)) is not None:
        raise RecordError(
            f"{directory}: the record of this run is in {place.shown}, and what is here is a copy: "
            f"{do}."
        )
