"""Measure what leases of limits cost: `python benchmarks/lease_waits.py [--seconds N]`.

Workers of one process call an endpoint that is a pause, in time that flies, so that neither the
machine nor its load is measured, but which calls wait, and how much of a limit is used. A call
takes a second, log-normal. Reports to the book, and its grants, travel for half of the round trip
each. The last table is of real CPU time: what one report costs where it is made and in the book.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from safejury.models import (
    Charge,
    LeaseBook,
    LeaseGrant,
    Leaseholder,
    LeaseReport,
    LendingBudget,
    PlaceLimits,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "models"))

from flown_time import run_in_flown_time
from leasing import Leasing

CONCURRENCY = 500
PER_MINUTE = 60_000
TOKENS = Charge(1000, 0.001)
SPREAD = 0.5
"""Of the logarithm of a call's seconds, which have a mean of 1."""
_HEAD = """\
| workers | round trip | needed | calls that waited | for | of the limit | reports/s each |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: |"""
_GROWN_S = 30.0
"""The limit has grown to its maximum by then, and what waited meanwhile is done."""


@dataclass(slots=True)
class Seen:
    """What was seen of the calls of all workers."""

    calls: int = 0
    waited: int = 0
    waited_s: float = 0.0
    busy_s: float = 0.0
    reports: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    print(f"Limit: {CONCURRENCY} calls at a time; each worker needs as much as any other.\n")
    print(_HEAD)
    for workers in (2, 10, 50):
        for trip in (0.002, 0.02, 0.1):
            for needed in (0.5, 0.8, 2.0) if trip == 0.02 else (0.5,):
                print(_row(workers, trip, needed, seconds, None, CONCURRENCY), flush=True)
    print(f"\nLimit: {PER_MINUTE:,} calls a minute.\n")
    print(_HEAD)
    for workers in (2, 10, 50):
        for needed in (0.5, 0.8, 2.0):
            most = PER_MINUTE / 60
            print(_row(workers, 0.02, needed, seconds, PER_MINUTE, most), flush=True)
    print("\n| CPU of a report | µs |\n| --- | ---: |")
    for name, cost in report_costs().items():
        print(f"| {name} | {cost * 1e6:.0f} |", flush=True)


def _row(
    workers: int, trip: float, needed: float, seconds: float, rate: int | None, most: float
) -> str:
    """Return a row of the table: calls of workers that together need a part of a limit."""
    limits = PlaceLimits(4 * CONCURRENCY if rate else CONCURRENCY, rate)
    seen = run_in_flown_time(_work(workers, trip, needed * most / workers, seconds, limits))
    used = (seen.busy_s if rate is None else seen.calls) / seconds / most
    return (
        f"| {workers} | {1000 * trip:.0f} ms | {needed:.0%} | {seen.waited / seen.calls:.2%} "
        f"| {1000 * seen.waited_s / max(1, seen.waited):.0f} ms "
        f"| {used:.0%} | {seen.reports / seconds / workers:.1f} |"
    )


async def _work(
    workers: int, trip: float, per_second: float, seconds: float, limits: PlaceLimits
) -> Seen:
    loop, seen = asyncio.get_running_loop(), Seen()
    book = LeaseBook(limits, budget=LendingBudget(10**12, 1e6), clock=loop.time)
    began, ends = _GROWN_S, _GROWN_S + seconds

    async def exchange(report: LeaseReport) -> LeaseGrant:
        seen.reports += loop.time() >= began
        await asyncio.sleep(trip / 2)
        grant = book.renew(report)
        await asyncio.sleep(trip / 2)
        return grant

    async def work(number: int) -> None:
        leasing, draw = Leasing(str(number), exchange), random.Random(number)
        budget = leasing.holder.budget(10**12, 1e6)
        limiter = leasing.holder.limiter("model", limits)

        async def call() -> None:
            started, takes = loop.time(), draw.lognormvariate(-SPREAD * SPREAD / 2, SPREAD)
            async with limiter.slot():
                reserved = await budget.reserve(TOKENS)
                at = loop.time()
                if at >= began:
                    seen.calls += 1
                    seen.waited += at > started
                    seen.waited_s += at - started
                seen.busy_s += max(0.0, min(at + takes, ends) - max(at, began))
                await asyncio.sleep(takes)
                budget.settle(reserved, TOKENS)

        async with leasing.renewed(), asyncio.TaskGroup() as group:
            while True:
                # No more than a few wait, as of cases that are under way.
                if limiter.waiting < 2 * limits.concurrency / workers:
                    group.create_task(call())
                await asyncio.sleep(draw.expovariate(per_second))

    with suppress(TimeoutError):
        async with asyncio.timeout(ends), asyncio.TaskGroup() as group:
            for number in range(workers):
                group.create_task(work(number))
    return seen


def report_costs() -> dict[str, float]:
    """Return the seconds of CPU of a report, by where they are spent."""
    return asyncio.run(_measured(50))


async def _measured(workers: int) -> dict[str, float]:
    limits = PlaceLimits(2000, 600_000)
    book = LeaseBook(limits, budget=LendingBudget(10**12, 1e6))
    holders = [Leaseholder(str(number), lambda: None) for number in range(workers)]
    for holder in holders:
        holder.budget(10**12, 1e6)
        for place in ("target", "jurors"):
            holder.limiter(place, limits)
    reports = [holder.report() for holder in holders]
    grants = [book.renew(report) for report in reports]

    def timed(work: Callable[[], object], times: int) -> float:
        began = time.process_time()
        for _ in range(20):
            work()
        return (time.process_time() - began) / (20 * times)

    async with asyncio.TaskGroup():
        made = timed(lambda: [holder.report() for holder in holders], workers)
        booked = timed(lambda: [book.renew(report) for report in reports], workers)
        accepted = timed(
            lambda: [holder.accept(grant) for holder, grant in zip(holders, grants, strict=True)],
            workers,
        )
    return {
        f"in the book of {workers} workers, two endpoints and a budget": booked,
        "in the worker: to make it, and to accept what is granted": made + accepted,
    }


if __name__ == "__main__":
    main()
