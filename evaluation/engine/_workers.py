"""Workers of a run, as its driver knows them."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from ...models import ModelSpec, Wait
from ...models.leases import BudgetReport
from ..runner import WorkerCounts
from ._messages import Report, Spent, Work
from ._pool import Link, WorkerLost
from ._writing import Outstanding

_QUIET_PARTS = 24
"""Of the silence after which a worker is lost; after a quarter of them that is told."""


@dataclass(slots=True)
class KnownWorker:
    """One worker, as the driver knows it.

    Attributes:
        name: Its name in the book of leases, which none had before.
        link: The way to it.
        given: Trials that it was given so far, by lane.
        answered: Models that it was told have answered.
        outstanding: What it has under way.
        spent: What it said last that its calls cost.
        booked: What of that the book of leases knows.
        is_ready: Whether it was set up.
        has_left: Whether it said that it ended.
        cases: Its cases under way.
        calls: Its calls under way.
        waits: What its calls wait for.
    """

    name: str
    link: Link
    given: list[int]
    answered: frozenset[ModelSpec] = frozenset()
    outstanding: Outstanding = field(default_factory=Outstanding)
    spent: Spent = Spent()
    booked: BudgetReport = BudgetReport()
    is_ready: bool = False
    has_left: bool = False
    cases: int = 0
    calls: int = 0
    waits: Sequence[Wait] = ()

    def __str__(self) -> str:
        """Name it, and say where it is."""
        return f"{self.link.name} on {self.link.node}" if self.link.node else self.link.name

    async def hear(self, silence: float, say: Callable[[str], None]) -> Report:
        """Return its next report, which it makes twice a second unless it hangs.

        Args:
            silence: Seconds without one after which it is lost, once it was ready.
            say: Told when it has been silent for a part of that.

        Raises:
            WorkerLost: It is gone, or was silent.
        """
        part, quiet = silence / _QUIET_PARTS, 0
        # Counted, so that a pause of this process is no silence of the worker.
        while quiet < _QUIET_PARTS or not self.is_ready:
            with suppress(TimeoutError):
                async with asyncio.timeout(part):
                    return await self._report()
            quiet += 1
            if quiet == _QUIET_PARTS // 4:
                say(f"{self} has said nothing for {quiet * part:.0f} s")
        raise WorkerLost(f"it said nothing for {quiet * part:.0f} s")

    async def last_reports(self, seconds: float, take: Callable[[Report], None]) -> None:
        """Let it end at once, and take what it says of its last calls.

        Args:
            seconds: For which it is waited for.
            take: Takes each report.
        """
        self.tell(Work({}, [], canceled=True))
        with suppress(WorkerLost, TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.has_left:
                    report = await self._report()
                    take(report)
                    self.has_left = report.ended is not None

    async def _report(self) -> Report:
        return msgspec.msgpack.decode(await self.link.take(), type=Report)

    def tell(self, work: Work, media: Mapping[str, object] | None = None) -> None:
        """Send it a message, with references to media by SHA-256."""
        self.link.give(msgspec.msgpack.encode(work), media or {})


def counts_of(workers: Collection[KnownWorker], lost: int) -> WorkerCounts:
    """Return what a display shows of workers.

    Args:
        workers: The workers.
        lost: How many were lost so far.
    """
    at_work = [worker for worker in workers if worker.is_ready]
    return WorkerCounts(
        cases=tuple(worker.cases for worker in at_work),
        calls=tuple(worker.calls for worker in at_work),
        starting=len(workers) - len(at_work),
        lost=lost,
    )
