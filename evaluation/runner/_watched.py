"""What displays are told beside finished cases: waiting calls, and workers."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from ...common import first_failure
from ...common.text import many
from ...models import ModelRegistry, Wait
from ._media_room import MediaRoom

_WATCH_S = 0.5
_MOST_NAMED = 3
"""Workers of which each has its own number on a line of 80 columns."""


class Display(Protocol):
    """A display of waiting calls."""

    def waiting(self, waits: Sequence[Wait]) -> None:
        """Show the waiting calls, if any; called twice a second."""
        ...


@asynccontextmanager
async def watched(
    registry: ModelRegistry, display: Display | None, room: MediaRoom | None = None
) -> AsyncGenerator[None]:
    """Show the waiting calls on a display within the block.

    Args:
        registry: The registry whose calls are shown.
        display: The display, None for none.
        room: That for media, for which cases may wait; None where there is no bound.
    """
    async with first_failure(), asyncio.TaskGroup() as group:
        watch = group.create_task(_watch(registry, display, room))
        yield
        watch.cancel()


async def _watch(registry: ModelRegistry, display: Display | None, room: MediaRoom | None) -> None:
    while display is not None:
        wait = None if room is None else room.wait
        display.waiting([*registry.waits(), *([] if wait is None else [wait])])
        await asyncio.sleep(_WATCH_S)


@dataclass(frozen=True, slots=True)
class WorkerCounts:
    """The workers of an engine that has some, for displays.

    Attributes:
        cases: How many cases each worker that is at work has under way.
        calls: How many calls each of them has under way.
        starting: Workers that are not at work yet.
        lost: Workers that were lost so far.
    """

    cases: tuple[int, ...] = ()
    calls: tuple[int, ...] = ()
    starting: int = 0
    lost: int = 0

    def __str__(self) -> str:
        """Say it on one line, empty without workers."""
        if not self.cases:
            return f"{many(self.starting, 'worker')} starting" if self.starting else ""
        each = " each" if len(self.cases) > _MOST_NAMED else ""
        at_work = many(len(self.cases), "worker")
        said = [f"{at_work} with {_each(self.cases)} cases, {_each(self.calls)} calls{each}"]
        said += [f"{self.lost:,} lost"] if self.lost else []
        said += [f"{self.starting:,} starting"] if self.starting else []
        return " · ".join(said)


def _each(numbers: Sequence[int]) -> str:
    """Name each of a few numbers, else the range that they are in."""
    if len(numbers) <= _MOST_NAMED:
        return " + ".join(f"{number:,}" for number in numbers)
    return f"{min(numbers):,} to {max(numbers):,}"
