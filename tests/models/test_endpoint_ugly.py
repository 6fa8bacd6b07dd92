"""EndpointModel against servers that behave badly on the socket itself."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from safejury.common import BadReplyError, ModelError, TransportError
from safejury.models import ChatMessage, ChatRequest, EndpointModel

pytestmark = pytest.mark.usefixtures("transport")

ASK = ChatRequest((ChatMessage.of("user", "hello"),))
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncGenerator[str, None]:
    """Serve each connection with `handler` after its request has come in."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


def replying(raw: bytes) -> Handler:
    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return handler


async def failure(base_url: str, **options: Any) -> ModelError:
    model = EndpointModel(base_url=base_url, model="m", **options)
    try:
        with pytest.raises(ModelError) as caught:
            await model.complete(ASK)
    finally:
        await model.aclose()
    assert "\n" not in str(caught.value)
    return caught.value


async def test_nothing_listens():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        error = await failure(f"http://127.0.0.1:{probe.getsockname()[1]}/v1")
    assert isinstance(error, TransportError)
    assert (error.permanent, error.retryable) == (True, True)
    assert "is the server up" in str(error)


async def test_a_host_that_does_not_exist():
    error = await failure("http://no-such-host.invalid/v1")
    assert isinstance(error, TransportError)
    assert error.permanent


async def test_a_dropped_connection_may_be_tried_again():
    async with serving(replying(b"")) as url:
        error = await failure(url)
    assert isinstance(error, TransportError)
    assert not error.permanent


async def test_a_body_shorter_than_promised():
    raw = b'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"choices": [{"mess'
    async with serving(replying(raw)) as url:
        error = await failure(url)
    assert isinstance(error, TransportError)
    assert "cut short" in str(error)


async def test_chunks_that_end_early():
    raw = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"choice\r\n'
    async with serving(replying(raw)) as url:
        assert isinstance(await failure(url), TransportError)


async def test_a_hang_ends_at_the_time_out():
    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(hang) as url:
        error = await failure(url, timeout=0.2)
    assert isinstance(error, TransportError)
    assert isinstance(error.__cause__, TimeoutError)
    assert "no reply within 0.2 s" in str(error)


async def test_a_reply_that_drips_ends_at_the_time_out():
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serving(drip) as url:
        error = await failure(url, timeout=0.3)
    assert isinstance(error.__cause__, TimeoutError)


async def test_reading_stops_at_the_largest_reply():
    sent = 0

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _unused in range(100):
            writer.write(b"20000\r\n" + b"x" * 0x20000 + b"\r\n")
            sent += 0x20000
            await writer.drain()

    async with serving(flood) as url:
        error = await failure(url, max_reply_bytes=200_000)
    assert isinstance(error, BadReplyError)
    assert "200,000 bytes" in str(error)
    assert sent < 10 * 2**20


async def test_what_does_not_speak_http():
    async with serving(replying(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")) as url:
        error = await failure(url)
    assert isinstance(error, BadReplyError)
    assert error.permanent


async def test_bytes_that_are_not_unicode():
    body = b'{"choices": [{"message": {"content": "\xff\xfe"}}]}'
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with serving(replying(raw)) as url:
        assert isinstance(await failure(url), BadReplyError)


async def test_brackets_nested_without_end():
    body = b'{"error": ' + b"[" * 200_000
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with serving(replying(raw)) as url:
        assert isinstance(await failure(url), BadReplyError)


async def test_a_server_that_closes_after_each_reply_is_reconnected():
    body = b'{"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}'
    raw = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with serving(replying(raw)) as url:
        model = EndpointModel(base_url=url, model="m")
        texts = [(await model.complete(ASK)).text for _ in range(3)]
        await model.aclose()
    assert texts == ["hi"] * 3
