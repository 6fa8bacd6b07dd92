"""What is kept on disk, what never is, and who shares a call."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from safejury.common import ModelError, RecordError
from safejury.models import (
    Cached,
    ChatMessage,
    ChatRequest,
    Completion,
    EndpointModel,
    ResponseCache,
    Usage,
)
from safejury.testing import ScriptedReply, ScriptedServer


def ask(text: str = "hello", call_id: str = "") -> ChatRequest:
    return ChatRequest((ChatMessage.of("user", text),), call_id=call_id)


async def calls_for_two(reply: ScriptedReply, path: Path) -> int:
    """Ask the same twice, one after the other; return the calls the server saw."""
    async with ScriptedServer(reply) as server:
        store = ResponseCache(path / "cache.sqlite")
        model = Cached(EndpointModel(base_url=server.base_url, model="m"), store)
        for _ in range(2):
            try:
                await model.complete(ask())
            except ModelError:
                continue
        await model.aclose()
        store.close()
        store.close()
    return server.stats.calls


async def test_an_answer_is_kept_across_processes_and_costs_nothing(tmp_path: Path):
    path = tmp_path / "deep" / "cache.sqlite"
    async with ScriptedServer(ScriptedReply("fine", finish_reason="stop")) as server:
        store = ResponseCache(path)
        model = Cached(EndpointModel(base_url=server.base_url, model="m"), store)
        first = await model.complete(ask(call_id="a"))
        store.close()
        again = ResponseCache(path)
        second = await Cached(model, again).complete(ask(call_id="b"))
        other = await Cached(model, again).complete(ask("something else"))
        again.close()
        await model.aclose()
    assert (first.reused, second.reused, other.reused) == (False, True, False)
    assert (second.text, second.provider_model) == (first.text, "scripted")
    assert (second.usage, second.cost_usd, second.attempts) == (Usage(0, 0, 0), 0.0, 0)
    assert server.stats.calls == 2


@pytest.mark.parametrize(
    "reply",
    [
        ScriptedReply(refusal="no"),
        ScriptedReply("x", finish_reason="content_filter"),
        ScriptedReply(status=400, code="content_filter"),
        ScriptedReply("x", finish_reason="length"),
        ScriptedReply(" \n"),
        ScriptedReply(status=500),
        ScriptedReply(status=400),
    ],
)
async def test_refused_filtered_truncated_empty_and_failed_ones_are_never_kept(
    reply: ScriptedReply, tmp_path: Path
):
    assert await calls_for_two(reply, tmp_path) == 2


async def test_equal_requests_under_way_share_one_call(tmp_path: Path):
    async with ScriptedServer("fine", latency=0.05) as server:
        store = ResponseCache(tmp_path / "c.sqlite")
        model = Cached(EndpointModel(base_url=server.base_url, model="m"), store)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(model.complete(ask())) for _ in range(20)]
        await model.aclose()
        store.close()
    assert server.stats.calls == 1
    assert sorted(task.result().reused for task in tasks) == [False] + [True] * 19


async def test_a_failure_is_shared_by_those_who_waited_for_it(tmp_path: Path):
    async with ScriptedServer(ScriptedReply(status=500), latency=0.05) as server:
        store = ResponseCache(tmp_path / "c.sqlite")
        model = Cached(EndpointModel(base_url=server.base_url, model="m"), store)

        async def expect() -> None:
            with pytest.raises(ModelError):
                await model.complete(ask())

        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(expect())
        await model.aclose()
        store.close()
    assert server.stats.calls == 1


async def test_when_the_caller_is_canceled_another_takes_over(tmp_path: Path):
    arrived = asyncio.Event()

    def reply(_: object) -> ScriptedReply:
        arrived.set()
        return ScriptedReply("fine", delay=0.05)

    async with ScriptedServer(reply) as server:
        store = ResponseCache(tmp_path / "c.sqlite")
        model = Cached(EndpointModel(base_url=server.base_url, model="m"), store)
        leader = asyncio.create_task(model.complete(ask()))
        await arrived.wait()
        follower = asyncio.create_task(model.complete(ask()))
        await asyncio.sleep(0)
        leader.cancel()
        answer = await follower
        await model.aclose()
        store.close()
    assert leader.cancelled()
    assert (answer.text, answer.reused) == ("fine", False)


WRITER = """
import sys
from safejury.models import Completion, ResponseCache
cache = ResponseCache(sys.argv[1])
for number in range(300):
    cache.put(f"{sys.argv[2]}{number}", Completion("from " + sys.argv[2], "stop"))
    cache.put("shared", Completion("either", "stop"))
cache.close()
"""


def test_processes_share_one_file(tmp_path: Path):
    path = str(tmp_path / "c.sqlite")
    writers = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", WRITER, path, name])
        for name in "abc"
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    cache = ResponseCache(path)
    kept = [cache.get(f"{name}{number}") for name in "abc" for number in range(300)]
    assert all(kept)
    assert cache.get("shared") == Completion("either", "stop")
    cache.close()


def test_a_file_that_is_no_cache_is_one_clear_line(tmp_path: Path):
    (tmp_path / "c.sqlite").write_text("not a database at all, but text " * 50)
    with pytest.raises(RecordError, match="name another file or delete it"):
        ResponseCache(tmp_path / "c.sqlite")
    with pytest.raises(RecordError, match="cannot use the cache"):
        ResponseCache(tmp_path)


def test_a_row_that_cannot_be_read_is_a_miss(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    cache = ResponseCache(tmp_path / "c.sqlite")
    cache.put("key", Completion("x", "stop"))
    with sqlite3.connect(tmp_path / "c.sqlite") as db:
        db.execute("UPDATE replies SET completion = 'rubbish'")
    db.close()
    assert cache.get("key") is None
    assert "cannot read the cache" in caplog.text
    cache.close()


async def test_a_key_that_an_earlier_version_kept_is_not_read_again(tmp_path: Path):
    key, path = "kept-by-an-earlier-version", tmp_path / "c.sqlite"
    async with ScriptedServer(f"It is {key}.") as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        store = ResponseCache(path)
        before = await Cached(model, store).complete(ask())
        keyed = EndpointModel(base_url=server.base_url, model="m", api_key=key)
        after = await Cached(keyed, store).complete(ask())
        store.close()
        await model.aclose()
        await keyed.aclose()
    assert (before.text, after.text) == (f"It is {key}.", "It is [redacted].")
    assert after.reused
