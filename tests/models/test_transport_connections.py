"""How connections are opened, kept, bounded in time and closed, over both transports."""

import asyncio
import gc
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from raw_server import ASK, FINE, Visit, chunk, model_at, reply, serving, soon

from safejury.common import ModelError, TransportError
from safejury.models import ChatMessage, ChatRequest, EndpointModel
from safejury.models.endpoint import Connection, ConnectionOptions, endpoint_headers, parse_base
from safejury.testing import ScriptedServer

pytestmark = pytest.mark.usefixtures("transport")


async def test_a_connection_is_kept_for_the_next_call():
    async def behave(visit: Visit) -> None:
        for _ in range(3):
            await visit.request()
            await visit.say(reply())
        await visit.gone()

    async with serving(behave) as server, model_at(server.url) as model:
        assert [(await model.complete(ASK)).text for _ in range(3)] == ["fine"] * 3
    assert len(server.visits) == 1


@pytest.mark.parametrize("said", [b"", reply(size=99), b"no HTTP"])
async def test_a_broken_connection_needs_no_search_for_garbage(said: bytes, transport: str):
    """Which is made so seldom that a server with faults would make memory grow."""
    if transport == "aiohttp":
        pytest.skip("aiohttp's errors refer to themselves")

    def errors() -> int:
        return sum(isinstance(one, BaseException) for one in gc.get_objects())

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(said)

    async with serving(behave) as server, model_at(server.url) as model:
        gc.collect()
        gc.disable()
        try:
            before = errors()
            for _ in range(8):
                with suppress(ModelError):
                    await model.complete(ASK)
            assert errors() <= before
        finally:
            gc.enable()


@pytest.mark.parametrize("late", [b"garbage", reply(b"evil"), b"\r\n\r\nHTTP/1.1 200"])
async def test_what_comes_unasked_is_no_reply_to_the_next_call(late: bytes, transport: str):
    if transport == "aiohttp":
        pytest.skip("aiohttp takes it for the next reply")

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(reply())
        if visit.number == 0:
            await answered.wait()
            await visit.say(late)
            await visit.gone()

    answered = asyncio.Event()
    async with serving(behave) as server, model_at(server.url) as model:
        await model.complete(ASK)
        answered.set()
        assert await soon(server.ended[0])
        assert (await model.complete(ASK)).text == "fine"
    assert len(server.visits) == 2


async def test_what_comes_before_a_request_is_sent_is_no_reply_to_it(transport: str):
    """Of two requests of one turn of the loop the second waits for the turn's end."""
    if transport == "aiohttp":
        pytest.skip("aiohttp takes it for the reply")

    async def behave(visit: Visit) -> None:
        await visit.request()
        await together.wait()
        await visit.say(reply())
        await visit.gone()

    together = asyncio.Barrier(2)
    async with serving(behave) as server, model_at(server.url) as model:
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(model.complete(ASK))
        for visit in server.visits:
            visit.writer.write(reply(FINE.replace(b"fine", b"evil")))
        # Both begin before that is read.
        calls = [asyncio.ensure_future(model.complete(ASK)) for _ in range(2)]
        await asyncio.wait(calls)
        with pytest.raises(TransportError, match="the connection broke"):
            await calls[1]


async def test_a_reply_with_another_one_behind_it_ends_its_connection(transport: str):
    if transport == "aiohttp":
        pytest.skip("aiohttp takes it for the next reply")

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(reply() + (b"" if visit.number else reply(b"evil", size=9)))
        await visit.gone()

    async with serving(behave) as server, model_at(server.url) as model:
        assert [(await model.complete(ASK)).text for _ in range(2)] == ["fine"] * 2
    assert len(server.visits) == 2


async def test_an_idle_connection_that_the_server_closed_is_not_used():
    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(reply())
        visit.writer.write_eof()
        await visit.gone()

    async with serving(behave) as server, model_at(server.url) as model:
        for number in range(3):
            assert (await model.complete(ASK)).text == "fine"
            await server.ended[number].wait()
    assert len(server.visits) == 3


@asynccontextmanager
async def connection_to(url: str) -> AsyncGenerator[tuple[Connection, Any]]:
    base = parse_base(url)
    reach = ConnectionOptions(30, 10, True, None)
    headers = endpoint_headers(base, None, None)
    connection = Connection("m", headers, reach, max_reply_bytes=10_000)
    try:
        yield connection, base / "x"
    finally:
        await connection.aclose()


async def closes_when_asked_again(visit: Visit) -> None:
    """Reply once; the first connection ends at its second request, without a word."""
    await visit.request()
    await visit.say(reply())
    await visit.request()
    if visit.number:
        await visit.say(reply())
        await visit.gone()


async def test_a_get_is_repeated_once_where_a_kept_connection_ends_without_a_word():
    async with (
        serving(closes_when_asked_again) as server,
        connection_to(server.url) as (connection, url),
    ):
        assert [(await connection.get(url)).status for _ in range(2)] == [200, 200]
    assert [len(visit.heads) for visit in server.visits] == [2, 1]


async def test_a_post_is_not_repeated_by_the_transport():
    """The server may have received it: whoever pays for a second one decides."""
    async with (
        serving(closes_when_asked_again) as server,
        connection_to(server.url) as (connection, url),
    ):
        await connection.post(url, b"{}")
        with pytest.raises(TransportError, match="the connection broke") as caught:
            await connection.post(url, b"{}")
    assert not caught.value.unsent
    assert [len(visit.heads) for visit in server.visits] == [2]


async def test_the_reply_to_a_canceled_call_is_no_reply_to_the_next_one():
    async def behave(visit: Visit) -> None:
        await visit.request()
        if visit.number == 0:
            asked.set()
            await visit.request()  # there is none: the connection ends
            await visit.say(reply(FINE.replace(b"fine", b"late")))
            return
        await visit.say(reply())
        await visit.gone()

    asked = asyncio.Event()
    async with serving(behave) as server, model_at(server.url) as model:
        call = asyncio.ensure_future(model.complete(ASK))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await soon(server.ended[0])
        assert (await model.complete(ASK)).text == "fine"
    assert len(server.visits) == 2


async def test_each_of_several_late_calls_is_ended():
    async def behave(visit: Visit) -> None:
        await visit.request()
        asked.set()
        await visit.gone()

    async def late(model: EndpointModel) -> None:
        with pytest.raises(TransportError, match="no reply within"):
            await model.complete(ASK)

    asked = asyncio.Event()
    async with (
        serving(behave) as server,
        model_at(server.url, timeout=0.2) as model,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(late(model))
        await asked.wait()
        await asyncio.sleep(0.05)
        group.create_task(late(model))
    assert len(server.visits) == 2


async def test_a_call_in_time_is_not_ended_for_one_that_is_late():
    async def behave(visit: Visit) -> None:
        while b"never" not in await visit.request():
            await visit.say(reply())
        await visit.gone()

    slow = ChatRequest((ChatMessage.of("user", "never"),))
    async with serving(behave) as server, model_at(server.url, timeout=0.3) as model:
        call = asyncio.ensure_future(model.complete(slow))
        while not call.done():
            assert (await model.complete(ASK)).text == "fine"
        with pytest.raises(TransportError, match=r"no reply within 0.3 s"):
            await call


@pytest.mark.parametrize("pieces", [1, 3])
async def test_a_large_body_arrives_whole(pieces: int):
    """More than the operating system takes at once."""

    async def behave(visit: Visit) -> None:
        await asyncio.sleep(0.05)  # until it waits for us
        got.append(await visit.request())
        await visit.say(reply())

    got: list[bytes] = []
    body = os.urandom(9_000_000)
    parts = [body[at::1][: len(body) // pieces] for at in range(0, len(body), len(body) // pieces)]
    async with serving(behave) as server, connection_to(server.url) as (connection, url):
        sent = parts[0] if pieces == 1 else parts
        assert (await connection.post(url, sent)).status == 200
    assert got == [b"".join(parts)]


async def test_a_server_that_refuses_a_body_before_it_has_it_is_heard():
    async def behave(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        if visit.number == 0:
            await visit.say(reply(b'{"error": {"message": "too much"}}', status=b"413 Too Large"))
        else:
            await visit.say(reply())
        await visit.gone()

    async with serving(behave) as server, connection_to(server.url) as (connection, url):
        got = await connection.post(url, bytes(20_000_000))
        assert (got.status, b"too much" in got.body) == (413, True)
        assert (await connection.post(url, b"{}")).status == 200
    assert len(server.visits) == 2


class Pieces(list[bytes]):
    """A body that knows how many of its pieces were taken when it was gone through last."""

    taken = 0

    def __iter__(self) -> Iterator[bytes]:
        self.taken = 0
        for piece in super().__iter__():
            self.taken += 1
            yield piece


async def test_a_server_that_takes_no_more_of_a_body_is_left_in_time():
    """Nor is the rest of it heaped up before its socket."""

    async def behave(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await done.wait()

    done, body = asyncio.Event(), Pieces([bytes(200_000)] * 100)
    async with serving(behave) as server:
        base = parse_base(server.url)
        reach = ConnectionOptions(0.3, 0.2, True, None)
        connection = Connection("m", endpoint_headers(base, None, None), reach, max_reply_bytes=9)
        with pytest.raises(TransportError, match="no reply within"):
            await connection.post(base / "x", body)
        await connection.aclose()
        done.set()
    assert 0 < body.taken < 100


async def test_many_calls_at_a_time_have_a_connection_each():
    async with ScriptedServer("fine", latency=0.05) as server, model_at(server.base_url) as model:
        for _ in range(2):
            async with asyncio.TaskGroup() as group:
                calls = [group.create_task(model.complete(ASK)) for _ in range(40)]
            assert {call.result().text for call in calls} == {"fine"}
    assert server.stats.calls == 80
    assert server.stats.connections <= 40


async def test_events_of_a_stream_are_heard_as_they_come():
    # No key that another test told begins with a period, and would hold the end back.
    async def behave(visit: Visit) -> None:
        await visit.request()
        event = b'data: {"choices": [{"delta": {"content": "%b"}}]}\n\n'
        await visit.say(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n",
            chunk(event % b"one "),
        )
        await heard.wait()
        await visit.say(chunk(event % b"two."), chunk(b"data: [DONE]\n\n"), b"0\r\n\r\n")

    heard, texts = asyncio.Event(), list[str]()

    def listen(text: str) -> None:
        texts.append(text)
        heard.set()

    request = ChatRequest((ChatMessage.of("user", "hello"),), on_text=listen)
    async with serving(behave) as server, model_at(server.url) as model:
        assert (await model.complete(request)).text == "one two."
    assert texts == ["one ", "one two."]


@pytest.mark.parametrize(
    "end", [b"data: [DONE]\n\n", b'data: {"choices": [{"finish_reason": "stop"}]}\n\n']
)
async def test_a_stream_is_heard_to_its_end_though_a_key_begins_as_it_ends(end: bytes):
    """What may be the beginning of a key is held back until the stream is over."""

    async def behave(visit: Visit) -> None:
        await visit.request()
        event = b'data: {"choices": [{"delta": {"content": "Say zyx"}}]}\n\n'
        await visit.say(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n",
            *(chunk(event), chunk(end), b"0\r\n\r\n"),
        )

    texts = list[str]()
    request = ChatRequest((ChatMessage.of("user", "hello"),), on_text=texts.append)
    async with serving(behave) as server, model_at(server.url, api_key="zyx-wvu-tsr") as model:
        assert (await model.complete(request)).text == "Say zyx"
    assert texts == ["Say ", "Say zyx"]


async def test_an_error_of_a_listener_is_its_callers():
    def listen(_: str) -> None:
        raise KeyError("of the listener")

    request = ChatRequest((ChatMessage.of("user", "hello"),), on_text=listen)
    async with ScriptedServer("fine and well") as server, model_at(server.base_url) as model:
        with pytest.raises(KeyError, match="of the listener"):
            await model.complete(request)
        assert (await model.complete(ASK)).text == "fine and well"


async def test_closing_while_a_call_is_under_way_ends_it():
    async def behave(visit: Visit) -> None:
        await visit.request()
        asked.set()
        await visit.gone()

    asked = asyncio.Event()
    async with serving(behave) as server:
        model = EndpointModel(base_url=server.url, model="m")
        call = asyncio.ensure_future(model.complete(ASK))
        await asked.wait()
        await model.aclose()
        with pytest.raises(TransportError, match="the connection broke"):
            await call
        await model.aclose()


async def test_closing_while_a_call_connects_leaves_nothing_open():
    async def behave(visit: Visit) -> None:
        while True:
            await visit.request()
            await visit.say(reply())

    async with serving(behave) as server:
        model = EndpointModel(base_url=server.url, model="m")
        call = asyncio.ensure_future(model.complete(ASK))
        while not server.visits:
            await asyncio.sleep(0)
            await model.aclose()
        await asyncio.wait([call])
        call.exception()
        assert await soon(server.ended[0])


@pytest.mark.slow
async def test_a_connection_that_is_idle_for_long_is_closed():
    """Before servers close it, of which a call might hear too late."""

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(reply())
        await visit.gone()

    async with serving(behave) as server, model_at(server.url) as model:
        await model.complete(ASK)
        await server.ended[0].wait()
        assert (await model.complete(ASK)).text == "fine"
