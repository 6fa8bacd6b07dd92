"""A worker as an actor of Ray; it does not import Ray, which runs it."""

import os
import socket
from collections.abc import Awaitable, Mapping
from typing import cast

from .._worker import Worker
from ._folder import RunFolder


class WorkerActor:
    """Runs a worker, with a folder that it shares with the others of its run on this node.

    Args:
        run: Unique name of the run of the driver's process.
    """

    def __init__(self, run: str) -> None:
        self._folder = RunFolder(run)
        self._worker = Worker(self._folder.open(), _fetch)

    async def where(self) -> tuple[str, int]:
        """Return the machine's name and the number of this process."""
        return socket.gethostname(), os.getpid()

    async def work(self, setup: bytes, server_key: str | None) -> None:
        """Examine trials; see `Worker.work`."""
        try:
            await self._worker.work(setup, server_key)
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
