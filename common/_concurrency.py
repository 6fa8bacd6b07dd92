"""Runs coroutines concurrently; returns results in order and raises a single failure."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from ._errors import SafejuryError

T = TypeVar("T")


async def in_parallel(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run coroutines concurrently and return their results in the given order.

    The first failure cancels the rest and is raised itself, not as a group.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(item) for item in work]
    except BaseExceptionGroup as failures:
        raise _first(failures) from None
    return [task.result() for task in tasks]


@asynccontextmanager
async def first_failure() -> AsyncGenerator[None, None]:
    """Raise the first failure of the enclosed task group instead of an exception group."""
    try:
        yield
    except BaseExceptionGroup as failures:
        raise _first(failures) from None


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first exception in a group, preferring a `SafejuryError`."""
    ours, others = failures.split(SafejuryError)
    failure: BaseException = ours or others or failures
    while isinstance(failure, BaseExceptionGroup):
        failure = cast("BaseExceptionGroup[BaseException]", failure).exceptions[0]
    return failure
