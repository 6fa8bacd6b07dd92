"""Workers in the process of the test, behind the interface of those on a cluster."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

from safejury.assembly.servers import make_fleet
from safejury.common import first_failure
from safejury.evaluation.engine import Worker, WorkerLost


class SameProcess:
    """Workers of this process; what they are sent and send is bytes.

    Args:
        folder: Where each worker has a folder of its own.
        number: How many there are to be.
        group: Runs them.
        reported: Called with the number of each report of a worker; True loses the worker,
            once it has made the report and before the driver has it.

    Attributes:
        silence: See `Pool`.
        hangs: Called with the number of each report of a worker; True lets it say nothing more.
        starts: Called with the number of a worker before it starts, which waits for it.
        room: See `Pool`.
        lacking: See `Pool`.
        kept: The references that somebody holds.
        most_kept: The most bytes that these stood for at a time.
    """

    silence = 60.0
    lacking = 0

    def __init__(
        self,
        folder: Path,
        number: int,
        group: asyncio.TaskGroup,
        reported: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self.folder = folder
        self.group = group
        self.reported = reported
        self.hangs: Callable[[int], bool] = lambda _: False
        self.starts: Callable[[int], Awaitable[object]] = _at_once
        self.opened, self._number = 0, number
        self.fetched: list[bytes] = []
        self.sent: list[bytes] = []
        self.room = 10**9
        self.kept = WeakSet[_Reference]()
        self.most_kept = 0

    fleet = staticmethod(make_fleet)
    """Their managed servers are on this machine."""

    def number(self) -> int:
        """Return how many there are to be."""
        return self._number

    async def watch(self) -> None:
        """Watch over nothing."""
        await asyncio.Event().wait()

    def open(self, number: int) -> "_Link":
        """Return the way to a new worker."""
        self.opened += 1
        return _Link(self, number)

    async def keep(self, content: bytes) -> object:
        """Return a reference to bytes."""
        self.kept.add(reference := _Reference(content))
        self.most_kept = max(self.most_kept, sum(len(kept.content) for kept in self.kept))
        return reference

    async def fetch(self, reference: object) -> bytes:
        """Return the bytes of a reference."""
        assert isinstance(reference, _Reference)
        self.fetched.append(reference.content)
        return reference.content


@dataclass(eq=False, frozen=True)
class _Reference:
    content: bytes


async def _at_once(number: int) -> None:
    """Let a worker start at once."""


class _Link:
    def __init__(self, pool: SameProcess, number: int) -> None:
        self.name, self.node = f"worker {number + 1}", "here"
        self._number = number
        self._pool = pool
        self._worker = Worker(pool.folder / str(number), pool.fetch)
        self._work: asyncio.Task[None] | None = None
        self._gifts: list[tuple[bytes, Mapping[str, object]]] = []
        self._reports, self._hangs = 0, False

    async def start(self, setup: bytes, server_key: str | None) -> None:
        await self._pool.starts(self._number)
        self._pool.sent.append(setup)
        work = self._worker.work(setup, server_key)
        self._work = self._pool.group.create_task(work)

    def give(self, data: bytes, media: Mapping[str, object]) -> None:
        self._pool.sent.append(data)
        self._gifts.append((data, media))

    async def take(self) -> bytes:
        if self._hangs or self._pool.hangs(self._reports + 1):
            self._hangs = True
            await asyncio.Event().wait()
        gifts, self._gifts = self._gifts, []
        for data, media in gifts:
            await self._worker.give(data, media)
        report = await self._worker.take()
        self._reports += 1
        if self._pool.reported(self._reports):
            await self.close()
            raise WorkerLost("its machine is gone")
        return report

    async def close(self) -> None:
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])


@asynccontextmanager
async def same_process(
    folder: Path, number: int = 2, reported: Callable[[int], bool] = lambda _: False
) -> AsyncGenerator[SameProcess]:
    """Open workers of this process, each with a folder in `folder`."""
    async with first_failure(), asyncio.TaskGroup() as group:
        yield SameProcess(folder, number, group, reported)
