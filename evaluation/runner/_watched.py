"""Shows the waiting calls on a display."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from ...common import first_failure
from ...models import ModelRegistry, Wait
from ._media_room import MediaRoom

_WATCH_S = 0.5


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
