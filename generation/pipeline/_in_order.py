"""Runs work concurrently and delivers results in order."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from ...common import first_failure

T = TypeVar("T")

AHEAD = 32
"""Results that may wait for an earlier one, for each that may be under way: an item may take
this many times as long as the others before they have to stand still for it."""


async def in_order(
    work: Iterable[Coroutine[Any, Any, T]], limit: int, take: Callable[[T], None]
) -> None:
    """Run coroutines, up to `limit` at a time, and deliver their results in order.

    A slow one delays the handing over, not the others. The first failure cancels the rest
    and is raised itself. No more than `AHEAD * limit` results are held.

    Args:
        work: StageRecord one by one as there is room for them.
        limit: At least 1.
        take: Is given each result; what it raises ends the work.
    """
    begun: deque[asyncio.Task[T]] = deque()
    under_way, ended = 0, asyncio.Event()

    def end(_: asyncio.Task[T]) -> None:
        nonlocal under_way
        under_way -= 1
        ended.set()

    async with first_failure(), asyncio.TaskGroup() as group:
        for item in work:
            begun.append(group.create_task(item))
            begun[-1].add_done_callback(end)
            under_way += 1
            while under_way >= limit or len(begun) >= AHEAD * limit:
                ended.clear()
                await ended.wait()
                while begun and begun[0].done():
                    take(begun.popleft().result())
        while begun:
            take(await begun.popleft())
