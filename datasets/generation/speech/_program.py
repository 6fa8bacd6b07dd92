"""Programs that are given words and return bytes: found, run, and ended with us."""

import asyncio
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ..._errors import ConfigurationError
from ..._media import MAX_MEDIA_BYTES
from ..._nearest import quoted, short_reason

_COMPLAINT_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a program returned nothing.

    Attributes:
        detail: One line.
    """

    detail: str


def find_program(name: str, given: str | None, *, install: str, setting: str) -> Path:
    """Return where a program is.

    Args:
        name: Its usual name, which is looked up.
        given: Its name or path where somebody gave it, None otherwise.
        install: How it is installed, for the error.
        setting: The setting that may name it, for the error.

    Raises:
        ConfigurationError: It is not on this machine.
    """
    wanted = name if given is None else os.path.expanduser(given)
    found = shutil.which(wanted)
    if found is not None:
        return Path(found)
    if given is not None:
        raise ConfigurationError(
            f"{setting} {quoted(given)} is not a program on this machine: correct it, or leave "
            f"it out to look {name} up"
        )
    raise ConfigurationError(
        f"the program {name} is not on this machine: {install}, or name it as {setting}"
    )


async def run_program(
    command: Sequence[str | Path], words: str, *, timeout: float
) -> bytes | Failed:
    """Run a program and return what it writes.

    It and all that it starts are ended where it takes too long or writes too much, and
    when the caller is cancelled.

    Args:
        command: The program and its arguments; no shell reads them.
        words: Its standard input, in UTF-8.
        timeout: Seconds that it has.
    """
    name = Path(command[0]).name
    loop = asyncio.get_running_loop()
    try:
        transport, talk = await loop.subprocess_exec(
            lambda: _Talk(loop), *command, start_new_session=True
        )
    except OSError as error:
        return Failed(f"{name} does not start: {error.strerror}")
    try:
        async with asyncio.timeout(timeout):
            await talk.hold(words.encode("utf-8", "replace"))
    except TimeoutError:
        return Failed(f"{name} took more than {timeout:g} s")
    finally:
        await talk.end()
    if talk.is_endless:
        return Failed(f"{name} wrote more than {MAX_MEDIA_BYTES // 2**20} MiB")
    if code := transport.get_returncode():
        return Failed(f"{name} ended with code {code}: {_last_line(talk.complaint)}")
    return bytes(talk.written) or Failed(f"{name} wrote nothing: {_last_line(talk.complaint)}")


class _Talk(asyncio.SubprocessProtocol):
    """What is said to a program, and what it says."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.written = bytearray()
        self.complaint = b""
        self.is_endless = False
        self._exited: asyncio.Future[None] = loop.create_future()
        self._over: asyncio.Future[None] = loop.create_future()
        self._transport: asyncio.SubprocessTransport | None = None

    async def hold(self, words: bytes) -> None:
        """Say the words, and listen until the program has ended and all is read."""
        assert self._transport is not None
        ear = cast(asyncio.WriteTransport | None, self._transport.get_pipe_transport(0))
        if ear is not None and not ear.is_closing():  # or it has ended without listening
            ear.write(words)
            ear.close()  # once all is written
        await asyncio.shield(self._over)

    async def end(self) -> None:
        """End what is left of it: what it started may outlive it."""
        assert self._transport is not None
        self._kill()
        await asyncio.shield(self._exited)
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 2:
            self.complaint = (self.complaint + data)[-_COMPLAINT_KEPT:]
        elif not self.is_endless:
            self.written += data
            if len(self.written) > MAX_MEDIA_BYTES:
                self.is_endless = True
                self.written.clear()
                self._kill()

    def process_exited(self) -> None:
        self._exited.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._over.set_result(None)

    def _kill(self) -> None:
        assert self._transport is not None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._transport.get_pid(), signal.SIGKILL)


def _last_line(complaint: bytes) -> str:
    lines = complaint.decode("utf-8", "replace").split("\n")
    said = next((line for line in reversed(lines) if line.strip()), "it gave no reason")
    printable = "".join(c for c in said if c.isprintable())
    return short_reason(Exception(printable), 160)
