"""Items of a set are made at once and handed over in order, whatever each of them takes."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from picture_stage import Talk, block, context, drawn_by, fill, make, texts

from safejury.generation.pipeline import AHEAD, in_order
from safejury.testing import ScriptedServer


@asynccontextmanager
async def holding(until: int) -> AsyncGenerator[str]:
    """Serve pictures, the first of them only when so many others were asked for."""
    asked, others = list[str](), asyncio.Event()

    async def draw(request: web.Request) -> web.Response:
        body = await request.json()
        asked.append(body["prompt"])
        if len(asked) > until:
            others.set()
        if body["prompt"] == asked[0]:
            await others.wait()
        picture = base64.b64encode(block(f"{body['prompt']} {body['seed']}")).decode()
        return web.json_response({"created": 0, "data": [{"b64_json": picture}]})

    app = web.Application()
    app.router.add_post("/v1/images/generations", draw)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"{site.name}/v1".replace(":0/", f":{runner.addresses[0][1]}/")
    finally:
        await runner.cleanup()


async def test_a_slow_picture_holds_no_other_up(tmp_path: Path) -> None:
    """Three times as many as may be under way are asked for before it comes."""
    async with (
        ScriptedServer(Talk()) as server,
        holding(until=12) as painter,
        context(
            tmp_path / "set", drawn_by(painter, rounds=1), server.base_url, concurrency=4
        ) as shop,
        asyncio.timeout(60),
    ):
        fill(shop.folder, texts(16), twins=False)
        made, _ = await make(shop)
    assert [one.of for one in made] == [f"q{number}" for number in range(1, 17)]
    assert all(one.file for one in made)


class Work:
    """Items of which the first waits; it counts those that were begun and those cancelled."""

    def __init__(self, many: int) -> None:
        self._many = many
        self.go = asyncio.Event()
        self.begun = self.cancelled = 0
        self.at_once = self.most_at_once = 0

    def __iter__(self) -> Iterator[Coroutine[Any, Any, int]]:
        return (self._item(number) for number in range(self._many))

    async def _item(self, number: int) -> int:
        self.begun += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if number == 0:
                await self.go.wait()
            else:
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.at_once -= 1
        return number


async def _all_that_can(work: Work) -> None:
    """Let go on what can, until nothing more is begun."""
    begun = -1
    while begun != work.begun:
        begun = work.begun
        for _ in range(50):
            await asyncio.sleep(0)


async def test_no_more_results_wait_than_are_said_to() -> None:
    work, taken = Work(200), list[int]()
    done = asyncio.ensure_future(in_order(work, 2, taken.append))
    await _all_that_can(work)
    assert (work.begun, work.most_at_once, taken) == (2 * AHEAD, 2, [])
    work.go.set()
    await done
    assert taken == list(range(200))
    assert work.most_at_once == 2


async def test_what_is_under_way_ends_with_the_first_failure() -> None:
    work = Work(40)

    def with_failure() -> Iterator[Coroutine[Any, Any, int]]:
        async def fails() -> int:
            await _all_that_can(work)
            raise ZeroDivisionError

        items = iter(work)
        yield next(items)
        yield fails()
        yield from items

    taken = list[int]()
    with pytest.raises(ZeroDivisionError):
        await in_order(with_failure(), 3, taken.append)
    assert (taken, work.cancelled) == ([], 1)
    assert len(asyncio.all_tasks()) == 1


async def test_what_is_under_way_ends_where_a_result_cannot_be_taken() -> None:
    work = Work(40)
    work.go.set()

    def refuse(number: int) -> None:
        if number == 3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await in_order(work, 3, refuse)
    assert work.begun < 40
    assert len(asyncio.all_tasks()) == 1


async def test_what_is_under_way_ends_when_it_is_cancelled() -> None:
    work, taken = Work(40), list[int]()
    done = asyncio.ensure_future(in_order(work, 3, taken.append))
    await _all_that_can(work)
    done.cancel()
    with pytest.raises(asyncio.CancelledError):
        await done
    assert (taken, work.cancelled) == ([], 1)
    assert len(asyncio.all_tasks()) == 1
