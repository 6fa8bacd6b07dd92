"""The folder of a run on a node of a cluster."""

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil
from filelock import FileLock

from ....common.files import private_folder


class RunFolder:
    """The folder of a run on one node; the last of its processes there removes it.

    One that is killed cannot, so each that begins removes those of runs of which no process
    is left. What lies there is imported, so it must be nobody else's: where another user has
    taken its name, the process has a folder for itself.

    Args:
        run: Unique name of the run.
    """

    def __init__(self, run: str) -> None:
        self._root = Path(tempfile.gettempdir()) / f"safejury-workers-{os.getuid()}"
        with suppress(OSError):
            private_folder(self._root)
        if not _is_ours(self._root):
            self._root = Path(tempfile.mkdtemp(prefix=f"{self._root.name}-"))
        self._place = self._root / run
        self._mine = self._place / "workers" / str(os.getpid())

    def open(self) -> Path:
        """Make the folder, and say that this process uses it."""
        with self._lock():
            for place in self._root.iterdir():
                if place.is_dir() and place != self._place and not _is_used(place):
                    shutil.rmtree(place, ignore_errors=True)
            private_folder(self._mine.parent)
            self._mine.touch()
        return self._place

    def close(self) -> None:
        """Say that this process is done with it."""
        with suppress(OSError), self._lock():
            self._mine.unlink(missing_ok=True)
            if not _is_used(self._place):
                shutil.rmtree(self._place, ignore_errors=True)

    def _lock(self) -> FileLock:
        return FileLock(self._root / "lock")


def _is_ours(folder: Path) -> bool:
    """Whether nobody else can write into a folder, or put another in its place."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def _is_used(place: Path) -> bool:
    """Whether a worker of a run is alive."""
    workers = place / "workers"
    names = [path.name for path in workers.iterdir()] if workers.is_dir() else []
    return any(name.isdecimal() and psutil.pid_exists(int(name)) for name in names)
