"""Each worker finds out itself that an endpoint is down; the others go on until they do."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from leasing import Leasing

from safejury.common import OutageError
from safejury.models import (
    ChatMessage,
    ChatRequest,
    LeaseBook,
    LeaseGrant,
    LeaseReport,
    ModelRegistry,
    ModelSpec,
    PlaceLimits,
    RetryPolicy,
)
from safejury.testing import ScriptedReply, ScriptedServer

LIMITS = PlaceLimits(8)
PATIENCE_S = 0.2
REQUEST = ChatRequest((ChatMessage.of("user", "hello"),))


@asynccontextmanager
async def worker(name: str, book: LeaseBook, spec: ModelSpec) -> AsyncGenerator[ModelRegistry]:
    async def exchange(report: LeaseReport) -> LeaseGrant:
        return book.renew(report)

    leasing = Leasing(name, exchange)
    async with ModelRegistry(
        limits=LIMITS,
        limiters=leasing.holder.limiter,
        policy=RetryPolicy(attempts=1),
        outage_patience=PATIENCE_S,
        answered=[spec],
    ) as registry:
        registry.open(spec)
        async with leasing.renewed():
            yield registry
    book.drop(name)


async def lose(registry: ModelRegistry, spec: ModelSpec) -> None:
    with pytest.raises(OutageError):
        await registry.open(spec).complete(REQUEST)


async def test_an_outage_is_each_workers_own_and_holds_no_slot() -> None:
    book = LeaseBook(LIMITS)
    async with ScriptedServer(ScriptedReply("x")) as server:
        spec = ModelSpec("m", base_url=server.base_url)
    # It is gone now.
    async with worker("a", book, spec) as one, worker("b", book, spec) as two:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(lose(one, spec))
        (down,), (unaware,) = one.places, two.places
        assert down.limiter.in_flight == unaware.limiter.in_flight == 0
        assert unaware.breaker is not None
        assert unaware.breaker.outage is None
        # Not at once, as a breaker does that has given up: it probes until its patience ends.
        began = asyncio.get_running_loop().time()
        await lose(two, spec)
        assert asyncio.get_running_loop().time() - began > PATIENCE_S / 2
