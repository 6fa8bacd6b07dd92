"""The limits of a place hold for all workers together, whenever they report and whoever dies."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest
from flown_time import run_in_flown_time
from leasing import Exchange, Leasing

from safejury.common import RateLimitError
from safejury.models import LeaseBook, LeaseGrant, LeaseReport, Limiter, PlaceLimits
from safejury.models.leases import PlaceReport

PLACE = "http://model"
CALL_S = 0.2


class Endpoint:
    """What a model's server sees of all workers."""

    def __init__(self) -> None:
        self.under_way = self.peak = self.calls = 0
        self.starts = list[float]()
        self.of_workers: dict[str, int] = {}

    async def call(self, limiter: Limiter, worker: str, seconds: float = CALL_S) -> None:
        async with limiter.slot():
            self.starts.append(asyncio.get_running_loop().time())
            self.calls += 1
            self.under_way += 1
            self.peak = max(self.peak, self.under_way)
            self.of_workers[worker] = self.of_workers.get(worker, 0) + 1
            try:
                await asyncio.sleep(seconds)
            finally:
                self.under_way -= 1


class Cluster:
    """A book and its workers, whose reports take a while."""

    def __init__(self, concurrency: int, per_minute: int | None = None) -> None:
        self.limits = PlaceLimits(concurrency, per_minute)
        self.book = LeaseBook(self.limits, clock=lambda: asyncio.get_running_loop().time())
        self.endpoint = Endpoint()
        self.reports = 0
        self._random = random.Random(7)

    async def exchange(self, report: LeaseReport) -> LeaseGrant:
        self.reports += 1
        await asyncio.sleep(self._random.uniform(0, 0.02))
        grant = self.book.renew(report)
        await asyncio.sleep(self._random.uniform(0, 0.02))
        return grant

    @asynccontextmanager
    async def worker(
        self, name: str, exchange: Exchange | None = None
    ) -> AsyncGenerator[tuple[Leasing, Limiter]]:
        leasing = Leasing(name, exchange or self.exchange)
        limiter = leasing.holder.limiter(PLACE, self.limits)
        try:
            async with leasing.renewed():
                yield leasing, limiter
        finally:
            leasing.holder.close()
            self.book.drop(name)

    async def work(self, name: str, calls: int, at_a_time: int, seconds: float = CALL_S) -> None:
        """Make calls of one worker, so many at a time."""
        left = iter(range(calls))

        async def some(limiter: Limiter) -> None:
            for _ in left:
                await self.endpoint.call(limiter, name, seconds)

        async with self.worker(name) as (_, limiter), asyncio.TaskGroup() as group:
            for _ in range(at_a_time):
                group.create_task(some(limiter))


@pytest.mark.parametrize(("concurrency", "workers"), [(1, 3), (10, 3), (64, 5)])
def test_calls_of_all_workers_stay_within_the_limit_and_use_it(concurrency: int, workers: int):
    async def work() -> tuple[Cluster, float]:
        cluster = Cluster(concurrency)
        async with asyncio.TaskGroup() as group:
            for number in range(workers):
                # Some come later, and some have more to do than others.
                await asyncio.sleep(0.3)
                calls = concurrency * (10 + 10 * number)
                group.create_task(cluster.work(f"w{number}", calls, 2 * concurrency))
        return cluster, asyncio.get_running_loop().time()

    cluster, took = run_in_flown_time(work())
    assert cluster.endpoint.peak == concurrency
    ideal = cluster.endpoint.calls / concurrency * CALL_S
    assert took < 1.35 * ideal + 0.3 * workers
    # All went back.
    assert cluster.book.places[PLACE].held == 0


def test_the_limit_grows_with_the_successes_of_all_workers():
    async def work() -> Cluster:
        cluster = Cluster(500)
        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(cluster.work(f"w{number}", 1500, 200))
        return cluster

    cluster = run_in_flown_time(work())
    assert cluster.book.places[PLACE].limit == 500
    assert 450 <= cluster.endpoint.peak <= 500


def test_calls_find_a_slot_without_asking_while_there_are_some():
    async def work() -> int:
        cluster, waited = Cluster(64), list[int]()

        async def one(name: str, limiter: Limiter) -> None:
            for _ in range(30):
                await cluster.endpoint.call(limiter, name)

        async def some(name: str) -> None:
            async with cluster.worker(name) as (leasing, limiter), asyncio.TaskGroup() as group:
                await asyncio.sleep(1)  # all have come
                for _ in range(15):
                    group.create_task(one(name, limiter))
                    await asyncio.sleep(0.3)
                waited.append(leasing.holder.waited)

        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(some(f"w{number}"))
        assert cluster.endpoint.calls == 4 * 15 * 30
        return sum(waited)

    assert run_in_flown_time(work()) == 0


def test_more_workers_than_slots_take_turns():
    async def for_a_minute() -> Endpoint:
        cluster = Cluster(2)
        with suppress(TimeoutError):
            async with asyncio.timeout(60), asyncio.TaskGroup() as group:
                for number in range(6):
                    group.create_task(cluster.work(f"w{number}", 1000, 4))
        return cluster.endpoint

    endpoint = run_in_flown_time(for_a_minute())
    assert endpoint.peak == 2
    # Of the 600 calls that fit, each of the six has had a fair part.
    assert len(endpoint.of_workers) == 6
    assert min(endpoint.of_workers.values()) > 40
    assert endpoint.calls > 400


def test_what_a_worker_does_not_use_goes_to_those_that_need_it():
    async def work() -> tuple[int, int]:
        cluster = Cluster(20)
        async with cluster.worker("idle") as (_, idle):
            await asyncio.sleep(1)
            before = idle.limit
            await cluster.work("busy", 400, 40)
            return before, cluster.endpoint.peak

    before, peak = run_in_flown_time(work())
    assert before == 20  # alone
    assert peak == 20


async def fail(limiter: Limiter, retry_after: float | None = None, after: float = CALL_S) -> None:
    with pytest.raises(RateLimitError):
        await rejected(limiter, retry_after, after)


async def rejected(limiter: Limiter, retry_after: float | None, after: float) -> None:
    async with limiter.slot():
        await asyncio.sleep(after)
        raise RateLimitError("slow down", status=429, retry_after=retry_after)


def test_a_rejected_call_cuts_the_limit_of_all_workers_once():
    async def work() -> tuple[list[int], int]:
        cluster = Cluster(64)
        async with cluster.worker("a") as (_, one), cluster.worker("b") as (_, two):
            await asyncio.sleep(1)
            shares = [one.limit + two.limit]
            async with asyncio.TaskGroup() as group:
                for limiter in (one, one, two, two):
                    group.create_task(fail(limiter))  # under way together
            shares.append(max(one.limit, two.limit))
            await asyncio.sleep(2)
            shares.append(one.limit + two.limit)
            assert one.is_slowed
            assert two.is_slowed
            await fail(one)
            await asyncio.sleep(2)
            shares.append(one.limit + two.limit)
            return shares, cluster.book.places[PLACE].limit

    shares, limit = run_in_flown_time(work())
    assert shares == [64, 16, 32, 16]
    assert limit == 16


def test_calls_sent_before_a_cut_in_another_worker_do_not_cut_again():
    async def work() -> int:
        cluster = Cluster(64)
        async with cluster.worker("a") as (_, one), cluster.worker("b") as (_, two):
            await asyncio.sleep(1)
            async with asyncio.TaskGroup() as group:
                group.create_task(fail(two, after=5.0))
                group.create_task(fail(one))
            await asyncio.sleep(1)
            return cluster.book.places[PLACE].limit

    assert run_in_flown_time(work()) == 32


def test_a_pause_that_one_worker_is_asked_for_holds_for_all():
    async def work() -> tuple[float, float]:
        cluster, loop = Cluster(64), asyncio.get_running_loop()
        async with cluster.worker("a") as (_, one), cluster.worker("b") as (_, two):
            await asyncio.sleep(1)
            await fail(one, retry_after=30.0)
            asked = loop.time()
            await asyncio.sleep(1)
            assert two.paused_for > 28
            await cluster.endpoint.call(two, "b")
            return asked, cluster.endpoint.starts[0]

    asked, started = run_in_flown_time(work())
    assert 30 <= started - asked < 31


@pytest.mark.parametrize(("per_minute", "workers"), [(6, 3), (60, 4), (1200, 3)])
def test_no_minute_has_more_calls_than_allowed(per_minute: int, workers: int):
    """Workers come, die and are idle in between; one is always there."""

    async def die_at_times(cluster: Cluster, number: int) -> None:
        draw = random.Random(number)
        for life in range(8):
            name = f"w{number}.{life}"
            with suppress(TimeoutError):
                async with asyncio.timeout(draw.uniform(1, 40)):
                    await cluster.work(name, 100_000, 20, 0.05)
            await asyncio.sleep(draw.uniform(0, 5))

    async def work() -> tuple[list[float], float]:
        cluster = Cluster(100, per_minute)
        with suppress(TimeoutError):
            async with asyncio.timeout(150), asyncio.TaskGroup() as group:
                group.create_task(cluster.work("steady", 100_000, 30, 0.05))
                for number in range(workers):
                    group.create_task(die_at_times(cluster, number))
        return cluster.endpoint.starts, 150

    starts, seconds = run_in_flown_time(work())
    for number, start in enumerate(starts[per_minute:]):
        assert start - starts[number] >= 60 - 1e-6
    assert len(starts) >= 0.8 * per_minute * seconds / 60


def test_calls_a_minute_are_shared():
    async def work() -> dict[str, int]:
        cluster = Cluster(100, 60)
        with suppress(TimeoutError):
            async with asyncio.timeout(120), asyncio.TaskGroup() as group:
                for number in range(5):
                    # The first wants the most.
                    group.create_task(cluster.work(f"w{number}", 1000, 40 - 9 * number))
        return cluster.endpoint.of_workers

    of_workers = run_in_flown_time(work())
    assert sum(of_workers.values()) > 100
    assert max(of_workers.values()) < 1.5 * min(of_workers.values())


def test_a_dead_worker_may_have_used_all_its_permits():
    """As late as it was dropped: so they count for a minute from then on."""
    now = [0.0]
    book = LeaseBook(PlaceLimits(100, 60), clock=lambda: now[0])

    def given(worker: str, wanted: int, started: int = 0, until: float = 0.0) -> int:
        """Return the permits of a worker that uses all at once, as often as it gets some."""
        total = 0
        while True:
            place = PlaceReport(0, 50, started=started, wanted=wanted)
            grant = book.renew(LeaseReport(worker, {PLACE: place}))
            started = len(grant.places[PLACE].permits)
            total += started
            if now[0] >= until:
                return total
            now[0] += 0.1

    held = given("dead", 50)
    assert held > 1
    now[0] = 30.0
    book.drop("dead")
    assert 50 < given("alive", 60, until=89.8) <= 60 - held


def test_calls_within_the_rate_wait_for_no_permit():
    async def work() -> tuple[int, int]:
        cluster = Cluster(64, 6000)
        async with cluster.worker("a") as (leasing, limiter), asyncio.TaskGroup() as group:
            for _ in range(600):  # 20 a second, of 100
                group.create_task(cluster.endpoint.call(limiter, "a"))
                await asyncio.sleep(0.05)
            return leasing.holder.waited, cluster.reports

    waited, reports = run_in_flown_time(work())
    assert waited < 0.02 * 600
    assert reports < 30 * 10


def test_the_share_of_a_dead_worker_is_for_the_others_once_it_is_dropped():
    async def work() -> list[int]:
        cluster = Cluster(20)
        async with cluster.worker("alive") as (_, limiter):
            dead = Leasing("dead", cluster.exchange)
            held = dead.holder.limiter(PLACE, cluster.limits)
            await dead.renew()
            await asyncio.sleep(2)
            await dead.renew()
            assert held.limit == 10
            shares = [limiter.limit]
            await asyncio.sleep(100)
            shares.append(limiter.limit)
            cluster.book.drop("dead")
            await asyncio.sleep(1)
            shares.append(limiter.limit)
            # It was only thought to be dead: it may start no more calls.
            await dead.renew()
            shares.append(held.limit)
            return shares

    assert run_in_flown_time(work()) == [10, 10, 20, 0]


def test_a_worker_whose_book_does_not_answer_starts_no_more_calls():
    async def work() -> tuple[float, float]:
        cluster, loop, silent = Cluster(4), asyncio.get_running_loop(), list[float]()

        async def exchange(report: LeaseReport) -> LeaseGrant:
            if loop.time() > 10 and loop.time() < 100:
                silent.append(loop.time())
                await asyncio.sleep(100 - loop.time())
            return await cluster.exchange(report)

        async def call(limiter: Limiter) -> None:
            while loop.time() < 110:
                await cluster.endpoint.call(limiter, "a")

        async with cluster.worker("a", exchange) as (_, limiter), asyncio.TaskGroup() as group:
            group.create_task(call(limiter))
        starts = cluster.endpoint.starts
        return max(at for at in starts if at < 90) - silent[0], min(at for at in starts if at > 90)

    last, first = run_in_flown_time(work())
    assert 19 < last <= 20
    assert 100 <= first < 101
