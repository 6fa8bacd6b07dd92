"""Writes a folder as a whole: whoever opens it finds the old one or the new one, never a half."""

import os
import re
import secrets
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...common import ConfigurationError, escape_line
from ...common.files import private_folder

MARK = '<meta name="generator" content="safejury page">'
"""What tells a page of ours from other folders; it stands in `index.html`."""
_LOOKED_AT = 4_096
_OURS = re.compile(
    r"index\.html|assets/[a-z]+\.(js|css|svg)|data/[a-z]+(-\d+)?\.js"
    r"|figures/[a-z0-9-]+\.(svg|png|csv)|media/[0-9a-f]{64}\.[a-z0-9]+"
)
"""The files of a page; what else lies in its folder is somebody's own."""
_FOLDERS = frozenset({"assets", "data", "figures", "media"})
_OF_SYSTEMS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that a system leaves in any folder that somebody looks at."""
_BEGUN = re.compile(r"\d+-[0-9a-f]{8}(\.old)?")


@contextmanager
def whole_folder(path: Path) -> Generator[Path]:
    """Give a temporary folder that takes the place of `path` when the block succeeds.

    Where it fails or is interrupted, what was there stays, and the temporary folder goes; that of
    a process that was killed goes with the next one.

    Args:
        path: The folder. What is there must be empty, or a page that can be written anew, with
            nothing else in it.

    Raises:
        ConfigurationError: Something else is there, or it cannot be written.
    """
    place = path.resolve()
    _clear_up(place)
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
        if place.is_dir() and (not any(place.iterdir()) or is_page(place)):
            foreign = next(_foreign(place), None)
            if foreign is None:
                return
            raise ConfigurationError(
                f"{path} also holds {escape_line(foreign)}, which is no part of a page and would "
                "be lost: move it elsewhere, or name another folder"
            )
    except OSError as error:
        raise _unwritable(path, error) from error
    raise ConfigurationError(
        f"{path} is there and is no page of safejury, so it is left as it is: name another "
        "folder, or remove it"
    )


def is_page(place: Path) -> bool:
    """Return whether a folder is a page of ours.

    Raises:
        OSError: It cannot be read.
    """
    index = place / "index.html"
    if not index.is_file():
        return False
    with index.open("rb") as file:
        return MARK.encode() in file.read(_LOOKED_AT)


def _foreign(place: Path) -> Iterator[str]:
    """Yield what lies in a page's folder and is no part of a page."""
    for folder, folders, files in os.walk(place):
        where = Path(folder).relative_to(place)
        links = (name for name in folders if (place / where / name).is_symlink())
        for name in (*files, *links):
            said = (where / name).as_posix()
            if name not in _OF_SYSTEMS and _OURS.fullmatch(said) is None:
                yield said
        if not (folders or files) and where != Path() and where.as_posix() not in _FOLDERS:
            yield where.as_posix()


def _clear_up(place: Path) -> None:
    """Remove what processes left behind that were killed; a page that they had put aside stays."""
    begins = f".{place.name}."
    try:
        beside = [each for each in place.parent.iterdir() if each.name.startswith(begins)]
    except OSError:
        return
    for left in beside:
        begun = _BEGUN.fullmatch(left.name.removeprefix(begins))
        if begun is None or left.is_symlink() or _is_running(int(begun[0].partition("-")[0])):
            continue
        if begun[1] and not place.exists():
            with suppress(OSError):
                left.rename(place)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # somebody else's
        return True
    return True


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{path} cannot be written ({error.strerror or error}): free some space, or name a folder "
        "that you can write"
    )
