"""Writes a folder as a whole: whoever opens it finds the old one or the new one, never a half."""

import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ...common import ConfigurationError
from ...common.files import private_folder

MARK = '<meta name="generator" content="safejury page">'
"""What tells a page of ours from other folders; it stands in `index.html`."""
_LOOKED_AT = 4_096


@contextmanager
def whole_folder(path: Path) -> Generator[Path]:
    """Give a temporary folder that takes the place of `path` when the block succeeds.

    Where it fails or is interrupted, what was there stays, and the temporary folder goes.

    Args:
        path: The folder. What is there must be empty, or a page that can be written anew.

    Raises:
        ConfigurationError: Something else is there, or it cannot be written.
    """
    place = path.resolve()
    _refuse_others(path, place)
    beside = place.with_name(f".{place.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        private_folder(place.parent)
        beside.mkdir(mode=0o700)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield beside
        _put(beside, place)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _put(beside: Path, place: Path) -> None:
    if not place.exists():
        beside.rename(place)
        return
    old = beside.with_name(f"{beside.name}.old")
    place.rename(old)
    try:
        beside.rename(place)
    except BaseException:
        old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _refuse_others(path: Path, place: Path) -> None:
    """Refuse what is neither nothing, an empty folder, nor a page."""
    if not place.exists():
        return
    try:
        if place.is_dir() and (not any(place.iterdir()) or _is_page(place)):
            return
    except OSError as error:
        raise _unwritable(path, error) from error
    raise ConfigurationError(
        f"{path} is there and is no page of safejury, so it is left as it is: name another "
        "folder, or remove it"
    )


def _is_page(place: Path) -> bool:
    index = place / "index.html"
    if not index.is_file():
        return False
    with index.open("rb") as file:
        return MARK.encode() in file.read(_LOOKED_AT)


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{path} cannot be written ({error.strerror or error}): free some space, or name a folder "
        "that you can write"
    )
