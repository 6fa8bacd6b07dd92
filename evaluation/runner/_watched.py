"""Tells a display of calls that wait, while others make them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from ...common import first_failure
from ...models import ModelRegistry, Wait

_WATCH_S = 0.5


class Display(Protocol):
    """Shows what calls wait for."""

    def waiting(self, waits: Sequence[Wait]) -> None:
        """Be told, twice a second, of calls that wait; of none where none does."""
        ...


@asynccontextmanager
async def watched(registry: ModelRegistry, display: Display | None) -> AsyncGenerator[None]:
    """Tell a display, while the block lasts, what calls wait for.

    Args:
        registry: Knows it.
        display: None where nobody looks.
    """
    async with first_failure(), asyncio.TaskGroup() as group:
        watch = group.create_task(_watch(registry, display))
        yield
        watch.cancel()


async def _watch(registry: ModelRegistry, display: Display | None) -> None:
    while display is not None:
        display.waiting(registry.waits())
        await asyncio.sleep(_WATCH_S)
