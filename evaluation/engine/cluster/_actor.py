"""A worker as an actor of Ray; it does not import Ray, which runs it."""

import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import cast

import psutil
from filelock import FileLock

from ....common.files import private_folder
from .._worker import Worker


class WorkerActor:
    """Runs a worker, with a folder that it shares with the others of its run on this node.

    Args:
        run: Unique name of the run of the driver's process.
    """

    def __init__(self, run: str) -> None:
        self._folder = _Folder(run)
        self._worker = Worker(self._folder.open(), _fetch)

    async def where(self) -> tuple[str, int]:
        """Return the machine's name and the number of this process."""
        return socket.gethostname(), os.getpid()

    async def work(self, setup: bytes) -> None:
        """Examine trials; see `Worker.work`."""
        try:
            await self._worker.work(setup)
        finally:
            self._folder.close()

    async def give(self, data: bytes, media: Mapping[str, object]) -> None:
        """Take trials; see `Worker.give`."""
        await self._worker.give(data, media)

    async def take(self) -> bytes:
        """Return a report; see `Worker.take`."""
        return await self._worker.take()


async def _fetch(reference: object) -> bytes:
    return await cast("Awaitable[bytes]", reference)


class _Folder:
    """The folder of a run's media on one node; the last of its workers removes it.

    A worker that is killed cannot, so each that begins removes those of runs of which no
    worker is left. What lies there is imported, so it must be nobody else's: where another
    user has taken its name, the worker has a folder for itself.
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
        with self._lock():
            for place in self._root.iterdir():
                if place.is_dir() and place != self._place and not _is_used(place):
                    shutil.rmtree(place, ignore_errors=True)
            private_folder(self._mine.parent)
            self._mine.touch()
        return self._place

    def close(self) -> None:
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
