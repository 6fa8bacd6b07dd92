"""A managed server as an actor of Ray, started as on one machine; it does not import Ray."""

import asyncio
import os
from contextlib import suppress
from dataclasses import replace

from ....common import ConfigurationError, SafejuryError
from ....models import redactor
from ....targets import ManagedServer, VllmSpec
from ._folder import RunFolder

_LOG_BYTES = 1 << 20
"""Of the end of a log, for the driver."""


class ServerActor:
    """Runs a managed server on its node.

    Args:
        run: Unique name of the run of the driver's process.
    """

    def __init__(self, run: str) -> None:
        self._folder = RunFolder(run)
        self._place = self._folder.open() / "servers"
        self._server: ManagedServer | None = None
        self._starting: asyncio.Task[object] | None = None
        self._started = asyncio.Event()

    async def start(
        self, name: str, spec: VllmSpec, gpus: int, host: str, key: str, log: str
    ) -> tuple[str, str]:
        """Start the server; return its address, or an empty text and why it did not start.

        Args:
            name: The server's name.
            spec: Its specification.
            gpus: How many GPUs it has here; 0 is the CPU.
            host: The address of this node on which it listens.
            key: The API key that it asks for.
            log: What its log is called in messages.
        """
        server = ManagedServer(
            name,
            replace(spec, gpus=gpus),
            folder=self._place,
            gpus=_gpus_here(gpus),
            api_key=key,
            host=host,
        )
        self._server, self._log = server, log
        self._starting = asyncio.current_task()
        try:
            await server.start()
        except ConfigurationError as error:
            return "", f"ConfigurationError {self._said(error)}"
        except SafejuryError as error:
            return "", f"FirstContactError {self._said(error)}"
        except asyncio.CancelledError:
            return "", "FirstContactError it was stopped while it started"
        finally:
            self._starting = None
            self._started.set()
        return server.url or "", ""

    async def wait(self) -> str:
        """Wait until the server has ended, and return how and why."""
        assert self._server is not None
        await self._server.wait()
        return self._said(self._server.ended)

    async def healthy(self, timeout: float) -> bool:
        """Return whether the server is healthy; see `ManagedServer.healthy`."""
        return self._server is not None and await self._server.healthy(timeout)

    async def work_done(self, timeout: float) -> float | None:
        """Return a counter of its work; see `ManagedServer.work_done`."""
        return None if self._server is None else await self._server.work_done(timeout)

    async def stop(self) -> bytes:
        """Stop the server with all its descendants, and return the end of its log."""
        server = self._server
        if server is None:
            return b""
        if self._starting is not None:
            self._starting.cancel()
            await self._started.wait()
        await server.stop()
        log = b""
        with suppress(OSError), server.log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_BYTES))
            log = file.read()
        self._folder.close()
        return redactor.redact(log.decode("utf-8", "replace")).encode()

    def _said(self, why: object) -> str:
        assert self._server is not None
        return str(why).replace(str(self._server.log), self._log)


def _gpus_here(count: int) -> list[str] | None:
    """Return the GPUs that Ray has given this process, None where it does not name them."""
    if not count:
        return []
    given = [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu.strip()]
    return given[:count] if len(given) >= count else None
