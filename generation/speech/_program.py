"""Finds and runs programs that read text and write bytes."""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...common import ConfigurationError, in_parallel
from ...common.text import quoted, short_reason
from ...datasets.media import MAX_MEDIA_BYTES

_BLOCK = 65536
_ERRORS_KEPT = 4096


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
            f"{setting} {quoted(given)} was not found: correct it, or leave it out to "
            f"search for {name}"
        )
    raise ConfigurationError(f"the program {name} was not found: {install}, or set {setting}")


async def run_program(
    command: Sequence[str | Path], text: str, *, timeout: float
) -> bytes | Failed:
    """Run a program and return what it writes to its standard output.

    The program and all that it starts are killed when it takes too long or writes too much,
    and when the caller is cancelled.

    Args:
        command: The program and its arguments; no shell reads them.
        text: Its standard input, in UTF-8.
        timeout: Seconds that it has.
    """
    name = Path(command[0]).name
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
    except OSError as error:
        return Failed(f"{name} does not start: {error.strerror}")
    try:
        async with asyncio.timeout(timeout):
            output, errors, _ = await in_parallel(
                (_read_output(process), _read_errors(process), _write_input(process, text))
            )
            code = await process.wait()
    except TimeoutError:
        return Failed(f"{name} took more than {timeout:g} s")
    finally:
        _kill(process)
        await asyncio.shield(process.wait())
    if len(output) > MAX_MEDIA_BYTES:
        return Failed(f"{name} wrote more than {MAX_MEDIA_BYTES // 2**20} MiB")
    if code:
        return Failed(f"{name} ended with code {code}: {_last_line(errors)}")
    return output or Failed(f"{name} wrote nothing: {_last_line(errors)}")


async def _write_input(process: Process, text: str) -> bytes:
    assert process.stdin is not None
    with suppress(BrokenPipeError, ConnectionResetError):  # it may end without reading
        if not process.stdin.is_closing():  # uvloop has an error of its own for one that is closed
            process.stdin.write(text.encode("utf-8", "replace"))
            await process.stdin.drain()
    process.stdin.close()
    return b""


async def _read_output(process: Process) -> bytes:
    """Return the output; a program that writes more than is allowed is killed."""
    assert process.stdout is not None
    output = bytearray()
    while block := await process.stdout.read(_BLOCK):
        if len(output) <= MAX_MEDIA_BYTES:
            output += block
        else:
            _kill(process)
    return bytes(output)


async def _read_errors(process: Process) -> bytes:
    """Return the end of what it writes to its standard error."""
    assert process.stderr is not None
    errors = b""
    while block := await process.stderr.read(_BLOCK):
        errors = (errors + block)[-_ERRORS_KEPT:]
    return errors


def _kill(process: Process) -> None:
    """Kill a program and what it started, which may outlive it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _last_line(errors: bytes) -> str:
    lines = errors.decode("utf-8", "replace").split("\n")
    said = next((line for line in reversed(lines) if line.strip()), "it gave no reason")
    printable = "".join(c for c in said if c.isprintable())
    return short_reason(Exception(printable), 160)
