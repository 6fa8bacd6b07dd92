"""Serves a page on this machine alone."""

import asyncio
import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from aiohttp import web

from ....common import ConfigurationError, SafejuryError, first_failure
from ._door import HEADERS, Door

_HOST = "127.0.0.1"
_GOODBYE_S = 1.0
"""How long a reply that is under way may take when the server ends."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a name stands for.

    Attributes:
        body: Its bytes, or the file that holds them.
        kind: Its media type.
    """

    body: bytes | Path
    kind: str


class Site(Protocol):
    """What is served."""

    async def find(self, name: str) -> Content | None:
        """Return what a name stands for, relative to the page; None where nothing does.

        Raises:
            SafejuryError: It cannot be had; the message says why.
        """
        ...

    async def watch(self) -> None:
        """Do what there is to do beside, until canceled."""
        ...


def listen(port: int) -> socket.socket:
    """Return a socket that listens on this machine alone.

    Args:
        port: The port, 0 for a free one.

    Raises:
        ConfigurationError: It cannot be had.
    """
    try:
        return socket.create_server((_HOST, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"port {port} of {_HOST} is in use: choose another one with --port, or leave it "
                "out for a free one"
            ) from None
        raise ConfigurationError(
            f"port {port} of {_HOST} cannot be listened on ({error.strerror}): choose another one "
            "with --port, or leave it out for a free one"
        ) from None


async def serve(site: Site, listening: socket.socket, opened: Callable[[Door], None]) -> None:
    """Serve until canceled.

    Args:
        site: What is served.
        listening: Where; it is closed at the end.
        opened: Called when the page can be opened, with what knows its address.

    Raises:
        SafejuryError: There is nothing that could be served.
    """
    door = Door(listening.getsockname()[1])
    application = web.Application(client_max_size=1)
    application.router.add_route("*", "/{name:.*}", partial(_answer, site, door))
    application.on_response_prepare.append(_with_headers)
    # Its log would hold the token.
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_GOODBYE_S)
    async with first_failure(), asyncio.TaskGroup() as group:
        group.create_task(site.watch())
        with listening:
            await runner.setup()
            try:
                await web.SockSite(runner, listening).start()
                opened(door)
                await asyncio.Event().wait()
            finally:
                await runner.cleanup()


async def _answer(site: Site, door: Door, request: web.Request) -> web.StreamResponse:
    name = door.name(request)
    try:
        found = await site.find(name)
    except SafejuryError as error:
        raise web.HTTPConflict(text=str(error)) from None
    if found is None:
        raise web.HTTPNotFound
    headers = {"Content-Type": found.kind}
    if isinstance(found.body, Path):
        return web.FileResponse(found.body, headers=headers)
    return web.Response(body=found.body, headers=headers)


async def _with_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
