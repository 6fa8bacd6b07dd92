"""Work that is done at once and handed over in order, with few results waiting."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from .._concurrency import first_failure

T = TypeVar("T")


async def in_order(
    work: Iterable[Coroutine[Any, Any, T]], limit: int, take: Callable[[T], None]
) -> None:
    """Run coroutines, up to `limit` at a time, and hand their results over in the given order.

    The first failure cancels the rest and is raised itself. No more than `limit` results
    are held.

    Args:
        work: Made one by one as there is room for them.
        limit: At least 1.
        take: Is given each result; what it raises ends the work.
    """
    under_way: deque[asyncio.Task[T]] = deque()
    async with first_failure(), asyncio.TaskGroup() as group:
        for item in work:
            under_way.append(group.create_task(item))
            if len(under_way) >= limit:
                take(await under_way.popleft())
        while under_way:
            take(await under_way.popleft())
