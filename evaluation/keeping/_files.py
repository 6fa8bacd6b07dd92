"""Looks at the files of a run without following links."""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..page import is_page
from ..record import MEDIA, RECORD, is_being_written
from ..trials import SKIPPED_ITEMS, SKIPPED_ROWS

_LEFT_S = 3600.0
"""Age from which a temporary file cannot be one that is still being written."""
_TEMPORARY = re.compile(r"\..+\.\d+-[0-9a-f]{8}")
"""Files and pages that are written beside their place; see `atomic_write` and `whole_folder`."""
PRUNING = re.compile(r"pruning-[0-9a-f]{8}")
"""How the folder of a run is called that is being removed, after its own name."""
_COPYING = re.compile("[a-z0-9_]{8}")
"""How that of a shareable copy is called while it is written."""


@dataclass(frozen=True, slots=True)
class RunFiles:
    """What the files of a run take, in bytes.

    Attributes:
        record: The record, with what SQLite keeps beside it.
        media: Pictures and sounds.
        pages: Pages that were written into the run's directory.
        others: All else, such as its config, its log, and labels.
    """

    record: int = 0
    media: int = 0
    pages: int = 0
    others: int = 0

    @property
    def total(self) -> int:
        """All together."""
        return self.record + self.media + self.pages + self.others


def is_run(directory: Path) -> bool:
    """Return whether a directory holds the record of a run."""
    return (directory / RECORD).is_file()


def run_files(directory: Path) -> RunFiles:
    """Return what the files of a run take; what cannot be read counts nothing."""
    record = media = pages = others = 0
    for entry in entries(directory):
        size = size_of(entry)
        if entry.name.startswith(RECORD):
            record += size
        elif entry.name == MEDIA:
            media += size
        elif is_page_of(entry):
            pages += size
        else:
            others += size
    return RunFiles(record, media, pages, others)


def entries(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    """Yield what lies in a folder; nothing where it cannot be read."""
    try:
        with os.scandir(folder) as found:
            yield from found
    except OSError:
        return


def size_of(entry: "os.DirEntry[str]") -> int:
    """Return the bytes of a file, or of all files in a folder; a link has none."""
    try:
        if entry.is_dir(follow_symlinks=False):
            return sum(size_of(each) for each in entries(entry.path))
        if entry.is_file(follow_symlinks=False):
            return entry.stat(follow_symlinks=False).st_size
    except OSError:  # it went meanwhile
        return 0
    return 0


def is_page_of(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry of a run's directory is a page of ours."""
    try:
        return entry.is_dir(follow_symlinks=False) and is_page(Path(entry.path))
    except OSError:
        return False


def left_beside(directory: Path) -> Iterator["os.DirEntry[str]"]:
    """Yield the folders beside a run that a merge, a shareable copy or a prune left when killed."""
    begins = f".{directory.name}."
    for entry in entries(directory.parent):
        if not entry.name.startswith(begins) or not entry.is_dir(follow_symlinks=False):
            continue
        what = entry.name.removeprefix(begins)
        ours = (
            what == "merging"
            or PRUNING.fullmatch(what)
            or (_COPYING.fullmatch(what) and _holds_a_copy_alone(entry))
        )
        if ours and _is_old(entry) and not is_being_written(Path(entry.path)):
            yield entry


def _holds_a_copy_alone(folder: "os.DirEntry[str]") -> bool:
    known = (RECORD, SKIPPED_ROWS, SKIPPED_ITEMS)
    return all(each.name.lstrip(".").startswith(known) for each in entries(folder.path))


def is_left_over(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry is what a killed process was writing, an hour ago or more."""
    if _TEMPORARY.fullmatch(entry.name) is None or entry.is_symlink():
        return False
    return _is_old(entry)


def _is_old(entry: "os.DirEntry[str]") -> bool:
    try:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > _LEFT_S
    except OSError:
        return False
