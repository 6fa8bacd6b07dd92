"""The budget of a run holds for all workers together, and ends as it does in one process."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest
from flown_time import run_in_flown_time
from leasing import Leasing

from safejury.common import BudgetError
from safejury.models import (
    Budget,
    Charge,
    LeaseBook,
    LeaseGrant,
    LeaseReport,
    LendingBudget,
    PlaceLimits,
)
from safejury.models.leases import BudgetReport

CALL_S = 0.5
RESERVED = Charge(100, 0.01)
TOOK = Charge(40, 0.004)
EXPECTED = Charge(400, 0.04)
CALLS = 4
"""Of a case."""


class Cluster:
    """A driver that begins cases, and workers that make their calls."""

    def __init__(self, tokens: int | None = None, usd: float | None = None) -> None:
        self.limits = (tokens, usd)
        self.budget = LendingBudget(tokens, usd)
        self.book = LeaseBook(
            PlaceLimits(), budget=self.budget, clock=lambda: asyncio.get_running_loop().time()
        )
        self.finished: list[str] = []
        self.broken: list[str] = []
        self.under_way = Charge(0, 0.0)
        self.most = 0.0
        self._random = random.Random(3)

    async def exchange(self, report: LeaseReport) -> LeaseGrant:
        await asyncio.sleep(self._random.uniform(0, 0.02))
        grant = self.book.renew(report)
        await asyncio.sleep(self._random.uniform(0, 0.02))
        return grant

    @asynccontextmanager
    async def worker(self, name: str) -> AsyncGenerator[tuple[Leasing, Budget]]:
        leasing = Leasing(name, self.exchange)
        budget = leasing.holder.budget(*self.limits)
        async with leasing.renewed():
            yield leasing, budget
        self.book.drop(name)

    async def judge(self, budget: Budget, case_id: str) -> None:
        """Make the calls of a case, as a worker does."""
        await budget.begin_case(case_id, EXPECTED)
        try:
            for call in range(CALLS):
                await self.call(budget, f"{case_id}/r0/s{call}/a0")
        except BudgetError:
            self.broken.append(case_id)
        else:
            self.finished.append(case_id)
        finally:
            budget.end_case(case_id)

    async def call(self, budget: Budget, call_id: str, took: Charge = TOOK) -> None:
        reserved = await budget.reserve(RESERVED, call_id)
        self.under_way += RESERVED
        # What the run may have to pay, whatever the book knows of it.
        spent = Charge(len(self.finished) * CALLS * TOOK.tokens, None)
        self.most = max(self.most, spent.tokens + self.under_way.tokens)
        await asyncio.sleep(self._random.uniform(0, CALL_S))
        self.under_way += Charge(-RESERVED.tokens, -(RESERVED.usd or 0.0))
        budget.settle(reserved, took)

    async def run(self, cases: int, workers: int, at_a_time: int) -> None:
        """Judge cases, each begun by the driver before a worker has it."""
        queue = asyncio.Queue[str](1)

        async def take(budget: Budget) -> None:
            while True:
                case_id = await queue.get()
                try:
                    await self.judge(budget, case_id)
                except BudgetError:  # begun by the driver, and not by the worker
                    self.budget.end_case(case_id)

        async def hand_out() -> None:
            for number in range(cases):
                case_id = f"q{number}/t/0"
                while not self.budget.begin_case_now(case_id, EXPECTED):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                await queue.put(case_id)

        async def work(name: str) -> None:
            async with self.worker(name) as (_, budget), asyncio.TaskGroup() as group:
                for _ in range(at_a_time):
                    group.create_task(take(budget))

        with suppress(TimeoutError):
            async with asyncio.timeout(600), asyncio.TaskGroup() as group:
                for number in range(workers):
                    group.create_task(work(f"w{number}"))
                with suppress(BudgetError):
                    await hand_out()
                await asyncio.sleep(500)


def of_one_process(tokens: int | None, usd: float | None, cases: int) -> tuple[Budget, int]:
    """Return the budget of a run in one process, and how many cases it finished."""

    async def work() -> tuple[Budget, int]:
        cluster, budget = Cluster(), Budget(tokens, usd)

        async def one(case_id: str) -> None:
            with suppress(BudgetError):
                await cluster.judge(budget, case_id)

        async with asyncio.TaskGroup() as group:
            for number in range(cases):
                group.create_task(one(f"q{number}/t/0"))
        return budget, len(cluster.finished)

    return run_in_flown_time(work())


@pytest.mark.parametrize("limit", [(20_000, None), (None, 2.0), (20_000, 2.0)])
def test_a_budget_ends_as_in_one_process(limit: tuple[int | None, float | None]):
    """It is used up, never exceeded, and no case that was begun lacks a call."""

    async def work() -> Cluster:
        cluster = Cluster(*limit)
        await cluster.run(400, workers=3, at_a_time=20)
        return cluster

    cluster, (alone, finished) = run_in_flown_time(work()), of_one_process(*limit, 400)
    assert cluster.budget.stopped is not None
    assert alone.stopped is not None
    assert cluster.budget.stopped.split("(")[0] == alone.stopped.split("(")[0]
    # 160 tokens a case: the last cannot begin with less than 100 left, or breaks off.
    assert abs(len(cluster.finished) - finished) <= 1
    assert 20_000 - 160 <= cluster.budget.spent_tokens <= 20_000
    assert cluster.budget.spent_usd <= 2.0
    assert cluster.most <= 20_000
    assert len(cluster.broken) <= 1


def test_without_a_limit_nothing_waits_and_the_driver_knows_what_was_spent():
    async def work() -> tuple[Cluster, int]:
        cluster = Cluster()
        async with cluster.worker("a") as (leasing, budget), asyncio.TaskGroup() as group:
            for number in range(50):
                group.create_task(cluster.judge(budget, f"q{number}/t/0"))
        return cluster, leasing.holder.waited

    cluster, waited = run_in_flown_time(work())
    assert waited == 0
    assert cluster.budget.spent_tokens == 50 * CALLS * TOOK.tokens
    assert cluster.budget.spent_usd == pytest.approx(50 * CALLS * 0.004)


def test_calls_of_a_large_budget_wait_for_no_lease():
    async def work() -> tuple[int, int]:
        cluster = Cluster(50_000_000, 5000.0)
        async with cluster.worker("a") as (leasing, budget), asyncio.TaskGroup() as group:
            for number in range(500):
                group.create_task(cluster.judge(budget, f"q{number}/t/0"))
        return leasing.holder.waited, len(cluster.finished)

    waited, finished = run_in_flown_time(work())
    assert finished == 500
    assert waited == 0


def test_a_call_waits_for_what_another_worker_gives_back():
    async def work() -> tuple[float, int]:
        cluster, loop = Cluster(150), asyncio.get_running_loop()
        async with cluster.worker("a") as (_, one), cluster.worker("b") as (_, two):
            reserved = await one.reserve(RESERVED, "q/t/0/target")
            async with asyncio.TaskGroup() as group:
                begun = loop.time()
                group.create_task(cluster.call(two, "p/t/0/target"))
                await asyncio.sleep(20)
                assert cluster.under_way.tokens == 0  # it waits
                one.settle(reserved, Charge(10, 0.0))
            waited = loop.time() - begun
        return waited, cluster.budget.spent_tokens

    waited, spent = run_in_flown_time(work())
    assert waited > 20
    assert spent == 10 + TOOK.tokens


def test_what_a_worker_holds_is_nobody_elses_until_it_gave_it_back():
    """It may use it while the book answers."""
    book = LeaseBook(PlaceLimits(), budget=LendingBudget(10_000))

    def renew(worker: str, held: int, least: int | None = None) -> int:
        wants = None if least is None else Charge(least, 0.0)
        report = BudgetReport(Charge(held, 0.0), least=wants, wanted=wants or Charge(0, 0.0))
        return book.renew(LeaseReport(worker, budget=report)).budget.allowance.tokens

    ahead = renew("a", 0)
    assert ahead == 100
    need = 10_000 - ahead + 1
    assert renew("b", 0, need) == 0
    assert renew("a", ahead) == 0  # told to give it back
    assert renew("b", 0, need) == 0
    assert renew("a", 0) == 0
    assert renew("b", 0, need) >= need


def test_a_refusal_stops_the_cases_of_all_workers():
    async def work() -> Cluster:
        cluster = Cluster(150)
        async with cluster.worker("a") as (_, one), cluster.worker("b") as (_, two):
            await cluster.call(one, "q/t/0/target", Charge(100, 0.0))
            with pytest.raises(BudgetError, match="of 150 does not cover a call"):
                await two.reserve(RESERVED, "p/t/0/target")
            await asyncio.sleep(2)
            with pytest.raises(BudgetError):
                await one.begin_case("r/t/0", EXPECTED)
            with pytest.raises(BudgetError):
                cluster.budget.begin_case_now("r/t/0", EXPECTED)
        return cluster

    assert run_in_flown_time(work()).budget.spent_tokens == 100


def test_what_calls_of_a_dead_worker_reserved_is_charged_once():
    async def work() -> tuple[int, int]:
        cluster = Cluster(1000)
        dead = Leasing("dead", cluster.exchange)
        budget = dead.holder.budget(1000, None)
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(budget.reserve(RESERVED, f"q{number}/t/0/target"))
            await asyncio.sleep(0)
            await dead.renew()
        await dead.renew()
        for _ in range(2):
            cluster.book.drop("dead", Charge(3 * RESERVED.tokens, None), unpriced=3)
        await dead.renew()  # it was not dead after all
        async with cluster.worker("b") as (_, other):
            await cluster.call(other, "p/t/0/target")
        return cluster.budget.spent_tokens, cluster.budget.unknown_price_calls

    assert run_in_flown_time(work()) == (340, 3)


def test_a_worker_that_leaves_gives_all_back():
    async def work() -> int:
        cluster = Cluster(200)
        async with cluster.worker("a") as (_, budget):
            await cluster.call(budget, "q/t/0/target")
        async with cluster.worker("b") as (_, budget):
            await cluster.call(budget, "p/t/0/target")
        return cluster.budget.spent_tokens

    assert run_in_flown_time(work()) == 2 * TOOK.tokens


def test_the_driver_learns_what_cases_take_from_those_of_workers():
    """So that it begins as many as one process would; see `Budget.begin_case`."""

    async def work() -> tuple[int, int]:
        cluster, begun = Cluster(6000), list[str]()

        async def begin() -> None:
            for number in range(40):
                await cluster.budget.begin_case(f"q{number}/t/0", EXPECTED)
                begun.append(f"q{number}/t/0")

        async with cluster.worker("a") as (_, budget), asyncio.TaskGroup() as group:
            beginning = group.create_task(begin())
            await asyncio.sleep(1)
            first = len(begun)
            await cluster.judge(budget, begun[0])
            await asyncio.sleep(2)
            beginning.cancel()
        return first, len(begun)

    # Of 6000: ten times 400 for each; then at most 400 as the first took less.
    assert run_in_flown_time(work()) == (1, 15)
