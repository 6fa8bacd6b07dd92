"""A limiter, watched from the server's side and from the caller's."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest

from safejury.common import RateLimitError, TransportError
from safejury.models import (
    ChatMessage,
    ChatRequest,
    EndpointModel,
    Limited,
    Limiter,
    Retrying,
    RetryPolicy,
)
from safejury.testing import ScriptedReply, ScriptedServer


def ask(number: int) -> ChatRequest:
    return ChatRequest((ChatMessage.of("user", f"question {number}"),))


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def holding(limiter: Limiter, slots: int) -> AsyncGenerator[asyncio.Event, None]:
    """Hold `slots` slots until the event is set; leave them in success."""
    done = asyncio.Event()

    async def hold() -> None:
        async with limiter.slot():
            await done.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(slots):
            group.create_task(hold())
        await settle()
        try:
            yield done
        finally:
            done.set()


async def fail(limiter: Limiter, error: Exception) -> None:
    with pytest.raises(type(error)):
        async with limiter.slot():
            raise error


async def test_the_server_never_sees_more_calls_than_allowed():
    async with ScriptedServer("x", latency=0.01) as server:
        model = Limited(EndpointModel(base_url=server.base_url, model="m"), Limiter(7))
        async with asyncio.TaskGroup() as group:
            for number in range(60):
                group.create_task(model.complete(ask(number)))
        await model.aclose()
    assert server.stats.peak_in_flight <= 7
    assert server.stats.connections <= 7


async def test_the_limit_grows_to_the_maximum_while_all_goes_well():
    async with ScriptedServer("x", latency=0.02) as server:
        limiter = Limiter(400)
        model = Limited(EndpointModel(base_url=server.base_url, model="m"), limiter)
        async with asyncio.TaskGroup() as group:
            for number in range(1200):
                group.create_task(model.complete(ask(number)))
        await model.aclose()
    assert limiter.limit == 400
    assert 256 < server.stats.connections <= 400


@pytest.mark.parametrize(("most", "first"), [(200, 200), (2000, 256)])
async def test_as_many_calls_as_asked_for_begin_at_once_up_to_256(most: int, first: int):
    limiter = Limiter(most)
    async with holding(limiter, most):
        assert limiter.in_flight == first
        assert limiter.waiting == most - first


async def test_a_server_that_takes_a_few_rejects_the_others_once():
    """Each try of a call counts: those that were too many must not lose theirs one by one."""
    capacity = 20

    def reply(_: object) -> ScriptedReply:
        full = server.stats.in_flight > capacity
        return ScriptedReply(status=429) if full else ScriptedReply("x", delay=0.02)

    server = ScriptedServer(reply)
    async with server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        policy = RetryPolicy(attempts=5, base_delay=0.05)
        model = Retrying(Limited(endpoint, Limiter(2000)), policy)
        async with asyncio.TaskGroup() as group:
            for number in range(600):
                group.create_task(model.complete(ask(number)))
        await model.aclose()
    assert server.stats.statuses[200] == 600


async def test_a_server_that_rejects_above_its_capacity_ends_up_within_it():
    capacity = 10

    def reply(_: object) -> ScriptedReply:
        full = server.stats.in_flight > capacity
        return ScriptedReply(status=429) if full else ScriptedReply("x", delay=0.01)

    server = ScriptedServer(reply)
    async with server:
        limiter = Limiter(64)
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        policy = RetryPolicy(attempts=50, base_delay=0.01, max_delay=0.05)
        model = Retrying(Limited(endpoint, limiter), policy)
        async with asyncio.TaskGroup() as group:
            for number in range(400):
                group.create_task(model.complete(ask(number)))
        await model.aclose()
    assert limiter.limit <= 2 * capacity
    assert server.stats.statuses[429] < 200
    assert server.stats.statuses[200] == 400


async def test_failures_of_one_round_trip_halve_the_limit_once():
    limiter, together = Limiter(16), asyncio.Barrier(16)

    async def reject() -> None:
        async with limiter.slot():
            await together.wait()
            raise RateLimitError("slow down", status=429)

    async def expect() -> None:
        with pytest.raises(RateLimitError):
            await reject()

    async with asyncio.TaskGroup() as group:
        for _ in range(16):
            group.create_task(expect())
    assert limiter.limit == 8
    await fail(limiter, RateLimitError("slow down", status=429))
    assert limiter.limit == 4


async def test_a_time_out_halves_and_other_failures_do_not():
    limiter = Limiter(16)
    error = TransportError("late")
    error.__cause__ = TimeoutError()
    await fail(limiter, error)
    assert limiter.limit == 8
    await fail(limiter, TransportError("dropped"))
    await fail(limiter, TransportError("broken", status=500))
    await fail(limiter, ValueError("a mistake"))
    assert limiter.limit == 8


async def test_the_limit_stays_at_one_and_above_and_climbs_by_one_a_window():
    limiter = Limiter(16)
    for _ in range(9):
        await fail(limiter, RateLimitError("slow down"))
    assert limiter.limit == 1
    for _ in range(20):
        before = limiter.limit
        async with holding(limiter, before):
            pass
        assert before <= limiter.limit <= before + 1
    assert limiter.limit > 1


async def test_an_idle_limit_does_not_grow():
    limiter = Limiter(600)
    for _ in range(500):
        async with limiter.slot():
            pass
    assert limiter.limit == 256


async def test_callers_are_served_in_order_and_counted():
    limiter, order = Limiter(1), list[int]()

    async def call(number: int) -> None:
        async with limiter.slot():
            order.append(number)
            await asyncio.sleep(0)

    async with holding(limiter, 1) as done, asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(call(number))
        await settle()
        assert (limiter.in_flight, limiter.waiting) == (1, 20)
        done.set()
    assert order == list(range(20))
    assert (limiter.in_flight, limiter.waiting) == (0, 0)


async def test_a_canceled_caller_leaves_no_slot_behind():
    limiter = Limiter(1)

    async def call() -> None:
        async with limiter.slot():
            await asyncio.sleep(0)

    async with holding(limiter, 1) as done:
        waiting = [asyncio.create_task(call()) for _ in range(3)]
        await settle()
        waiting[0].cancel()
        await settle()
        done.set()
        # The slot is given to the second in the same turn in which it is canceled.
        await asyncio.sleep(0)
        waiting[1].cancel()
        await waiting[2]
    assert (limiter.in_flight, limiter.waiting) == (0, 0)


async def test_a_caller_that_is_canceled_while_it_waits_for_the_rate_gives_its_slot_back():
    limiter = Limiter(2, requests_per_minute=60)

    async def call() -> None:
        async with limiter.slot():
            await asyncio.sleep(0)

    await call()
    waiting = asyncio.create_task(call())
    await settle()
    assert (limiter.in_flight, limiter.throttled) == (1, 1)
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    assert (limiter.in_flight, limiter.throttled) == (0, 0)


async def test_retry_after_pauses_the_whole_endpoint():
    loop = asyncio.get_running_loop()
    limiter = Limiter(4)
    before = loop.time()
    await fail(limiter, RateLimitError("slow down", retry_after=0.6))
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(_enter(limiter))
        await settle()
        assert (limiter.in_flight, limiter.waiting) == (0, 3)
    assert loop.time() - before >= 0.6


async def _enter(limiter: Limiter) -> None:
    async with limiter.slot():
        pass


async def test_a_retry_after_of_hours_does_not_silence_the_run():
    limiter = Limiter(4)
    await fail(limiter, RateLimitError("quota used up", retry_after=7200))
    async with asyncio.timeout(5), limiter.slot():
        pass


async def test_calls_a_minute_are_bounded_and_spread():
    loop = asyncio.get_running_loop()
    # 3000 a minute are 50 a second, given out 5 in each tenth of a second.
    limiter, before = Limiter(8, requests_per_minute=3000), loop.time()
    async with asyncio.TaskGroup() as group:
        for _ in range(25):
            group.create_task(_enter(limiter))
    assert loop.time() - before >= 0.4


@pytest.mark.parametrize(("concurrency", "rate"), [(0, None), (1, 0)])
def test_bounds_below_one_are_mistakes(concurrency: int, rate: int | None):
    with pytest.raises(ValueError, match="at least 1"):
        Limiter(concurrency, rate)
