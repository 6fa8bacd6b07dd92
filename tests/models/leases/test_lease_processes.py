"""Workers in processes of their own keep one limit and one budget, also when one is killed."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from safejury.models import LeaseBook, LeaseReport, LendingBudget, PlaceLimits
from safejury.testing import ScriptedReply, ScriptedServer

pytestmark = pytest.mark.slow

WORKER = Path(__file__).parent.parent / "lease_worker.py"
USED = {"prompt_tokens": 20, "completion_tokens": 10}
MOST = 4


async def begin(name: str, server: ScriptedServer, calls: int, tokens: int) -> Process:
    path = os.pathsep.join([str(WORKER.parent), *sys.path])
    said = [name, server.base_url, str(calls), str(MOST), str(tokens)]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", str(WORKER), *said,
        stdin=PIPE, stdout=PIPE, stderr=PIPE, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip


async def serve(name: str, process: Process, book: LeaseBook, watch: Callable[[], None]) -> str:
    """Answer a worker's reports until it ends, and return what it says went wrong."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    async for line in process.stdout:
        grant = book.renew(msgspec.json.decode(line, type=LeaseReport))
        watch()
        try:
            process.stdin.write(msgspec.json.encode(grant) + b"\n")
            await process.stdin.drain()
        except ConnectionError:  # it was killed
            break
    await process.wait()
    book.drop(name)
    return (await process.stderr.read()).decode()


async def test_one_limit_and_one_budget_hold_and_a_killed_worker_leaves_its_share() -> None:
    book = LeaseBook(PlaceLimits(MOST), budget=LendingBudget(1_000_000))
    peaks = list[int]()
    async with ScriptedServer(ScriptedReply("x", usage=USED), latency=0.02) as server:
        processes = {name: await begin(name, server, 150, 1_000_000) for name in "abc"}

        def kill_one() -> None:
            if server.stats.calls > 60 and not peaks:
                peaks.append(server.stats.peak_in_flight)
                processes["a"].kill()  # what it asked may be under way for longer

        async with asyncio.TaskGroup() as group:
            said = {
                name: group.create_task(serve(name, process, book, kill_one))
                for name, process in processes.items()
            }
    assert processes["a"].returncode == -9
    assert [said[name].result() for name in "bc"] == ["", ""]
    assert peaks[0] <= MOST
    assert server.stats.statuses[200] >= 300
    assert book.budget.spent_tokens >= 300 * 30
    assert all(shares.held == 0 for shares in book.places.values())


async def test_workers_spend_no_more_than_one_budget_together() -> None:
    limit = 3000
    book = LeaseBook(PlaceLimits(MOST), budget=LendingBudget(limit))
    async with ScriptedServer(ScriptedReply("x", usage=USED), latency=0.02) as server:
        processes = {name: await begin(name, server, 100, limit) for name in "ab"}
        async with asyncio.TaskGroup() as group:
            said = [
                group.create_task(serve(name, process, book, lambda: None))
                for name, process in processes.items()
            ]
    # A call reserves 50 tokens and those of its words.
    assert limit - 80 < 30 * server.stats.calls == book.budget.spent_tokens <= limit
    refused = "".join(each.result() for each in said).splitlines()
    assert len(refused) + server.stats.calls == 200
    assert all("limits.max_tokens_total of 3,000 does not cover" in line for line in refused)
