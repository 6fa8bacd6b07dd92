"""A server that does with each connection as it is told, for tests of the transports."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from safejury.common import ModelError
from safejury.models import ChatMessage, ChatRequest, EndpointModel

ASK = ChatRequest((ChatMessage.of("user", "hello"),))
FINE = b'{"choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}]}'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
Behavior = Callable[["Visit"], Awaitable[None]]


def reply(
    body: bytes = FINE, extra: bytes = b"", status: bytes = b"200 OK", size: int | None = None
) -> bytes:
    length = len(body) if size is None else size
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, extra, length, body)


def chunk(data: bytes = FINE) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@dataclass(slots=True)
class Visit:
    """One connection of a client, as the server sees it."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heads: list[bytes] = field(default_factory=list[bytes])

    async def request(self) -> bytes:
        """Read a request; return its body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return await self.reader.readexactly(int(length or 0))

    async def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def gone(self) -> None:
        """Wait until the client has closed the connection."""
        while await self.reader.read(2**16):
            pass


@dataclass(slots=True)
class Server:
    """A server that does with each connection as it is told."""

    url: str = ""
    visits: list[Visit] = field(default_factory=list[Visit])
    ended: list[asyncio.Event] = field(default_factory=list[asyncio.Event])


@asynccontextmanager
async def serving(behavior: Behavior, host: str = "127.0.0.1") -> AsyncGenerator[Server]:
    """Serve each connection by `behavior`, and wait for their ends."""
    serving = Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit, ended = Visit(len(serving.visits), reader, writer), asyncio.Event()
        serving.visits.append(visit)
        serving.ended.append(ended)
        try:
            await behavior(visit)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            ended.set()

    server = await asyncio.start_server(serve, host, 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        serving.url = f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
        yield serving
        for ended in serving.ended:
            await ended.wait()


def always(*pieces: bytes) -> Behavior:
    """Reply to one request with these bytes, and close the connection."""

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(*pieces)

    return behave


@asynccontextmanager
async def model_at(url: str, **options: Any) -> AsyncGenerator[EndpointModel]:
    model = EndpointModel(base_url=url, model="m", **options)
    try:
        yield model
    finally:
        await model.aclose()


async def said(behavior: Behavior, **options: Any) -> str:
    async with serving(behavior) as server, model_at(server.url, **options) as model:
        return (await model.complete(ASK)).text


async def failure(behavior: Behavior, **options: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await said(behavior, **options)
    assert "\n" not in str(caught.value)
    return caught.value


async def soon(event: asyncio.Event) -> bool:
    """Return whether something happens within some turns of the loop that both sides share."""
    for _ in range(500):
        if event.is_set():
            return True
        await asyncio.sleep(0.001)
    return False
