"""Runs a server process under a watchdog, and stops it with all its descendants."""

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

import msgspec
import psutil

from ...common import FirstContactError
from . import _watchdog as watchdog

MARK = "SAFEJURY_SERVER"
"""Environment variable that marks what belongs to one server."""
_OVERTIME_S = 40.0  # past its grace the watchdog kills, and gives up after 30 s
_SWEEP_S = 10.0
_SWEEP_PAUSE_S = 0.05


class _Started(msgspec.Struct, frozen=True):
    pid: int | None = None
    error: str | None = None


class ServerProcess:
    """A running command under a watchdog; create it with `start`, end it with `stop`.

    The watchdog sees to the end of the command and its descendants when this process
    ends, however it does. If the watchdog itself is killed, `stop` finds them by their
    session, or by a mark in their environment.
    """

    # Not one of asyncio's subprocesses: a loop that is closed in a hurry, as after a
    # second Ctrl-C, would kill the watchdog before it has done its work.

    def __init__(
        self, watched: subprocess.Popen[bytes], mark: str, grace: float, scratch: str | None
    ) -> None:
        assert watched.stdin is not None
        assert watched.stdout is not None
        self._watched = watched
        self._stdin: IO[bytes] = watched.stdin
        self._stdout: IO[bytes] = watched.stdout
        self._mark = mark
        self._grace = grace
        self._scratch = scratch
        self._pid: int | None = None
        self._said = b""
        self._answered = asyncio.Event()
        self._over = asyncio.Event()
        self._over_at = 0.0
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._stdout.fileno(), self._read)

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        *,
        grace: float,
        scratch: str | None = None,
    ) -> Self:
        """Start a command.

        Args:
            command: The program and its arguments.
            env: Its whole environment.
            log: The log file, which is appended to.
            grace: Seconds until it is killed after a request to stop.
            scratch: Environment variable by which it learns of a folder for its
                passing files, which is removed when it has ended.

        Raises:
            FirstContactError: The program or the log cannot be used.
        """
        if os.name != "posix":
            raise FirstContactError("managed servers need Linux or macOS; use a base_url")
        mark = secrets.token_hex(8)
        whole, folder = {**env, MARK: mark}, None
        if scratch is not None and scratch not in env:
            # The watchdog makes it: it outlives us, whenever we are killed.
            folder = os.path.join(tempfile.gettempdir(), f"safejury-{mark}")
            whole[scratch] = folder
        process = cls(_watched(whole), mark, grace, folder)
        try:
            await process._order(list(command), log)
        except BaseException:
            await process.stop()
            raise
        return process

    @property
    def pid(self) -> int | None:
        """The process id of the command, also of its group; None once it has ended."""
        return self._pid if self.ended is None else None

    @property
    def ended(self) -> str | None:
        """How the command ended, None while it runs."""
        match self._watched.poll():
            case None:
                return None
            case code if code < 0:
                return f"its watchdog was killed by {_signal(-code)}"
            case code if code - 128 in set(signal.Signals):
                return f"it was killed by {_signal(code - 128)}"
            case code:
                return f"it ended with code {code}"

    async def wait(self) -> None:
        """Wait until the command and all its descendants have ended."""
        await self._over.wait()

    async def stop(self) -> None:
        """Stop the command with all its descendants; may be called twice."""
        self._stdin.close()  # of itself enough, should this call be canceled
        try:
            async with asyncio.timeout(self._grace + _OVERTIME_S):
                await self._over.wait()
        except TimeoutError:
            self._watched.kill()
            await self._over.wait()
        await self._sweep()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    async def _order(self, command: list[str], log: Path) -> None:
        order = {
            "command": command,
            "log": str(log),
            "grace": self._grace,
            "parent": os.getpid(),
            "scratch": self._scratch,
        }
        with suppress(OSError):  # it has ended, which the next line finds out
            self._stdin.write(msgspec.json.encode(order) + b"\n")
        await self._answered.wait()
        try:
            started = msgspec.json.decode(self._said, type=_Started)
        except msgspec.DecodeError:
            started = _Started(error="the watchdog ended at once")
        if started.error is not None:
            raise FirstContactError(
                f"cannot run {command[0]!r} with the log {log}: {started.error}"
            )
        self._pid = started.pid

    def _read(self) -> None:
        """Read the watchdog's output: one line, then the end."""
        piece = os.read(self._stdout.fileno(), 4096)
        self._said += piece
        if not piece:
            self._loop.remove_reader(self._stdout.fileno())
            self._stdout.close()
            self._watched.wait()
            self._over_at = time.time()
            self._over.set()
        if not piece or self._said.endswith(b"\n"):
            self._answered.set()

    async def _sweep(self) -> None:
        """Kill the processes that a killed watchdog left behind."""
        if (self._watched.returncode or 0) >= 0:
            return
        until = self._loop.time() + _SWEEP_S
        spared_until = self._loop.time() + watchdog.CLEANING_S
        while found := [process for process in psutil.process_iter() if self._owns(process)]:
            for process in found:
                if self._loop.time() < spared_until and watchdog.is_cleaner(process.pid):
                    continue
                with suppress(psutil.Error):
                    process.kill()
            if self._loop.time() > until:
                return
            await asyncio.sleep(_SWEEP_PAUSE_S)

    def _owns(self, process: psutil.Process) -> bool:
        """Return whether a running process descends from the command."""
        # By its session as well: one that writes its title over its environment loses the mark.
        with suppress(OSError, psutil.Error):
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            # Later ones could be of others who got the same id.
            early = process.create_time() < self._over_at
            if early and os.getsid(process.pid) == self._pid:
                return True
            return process.environ().get(MARK) == self._mark
        return False


def _watched(env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", watchdog.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=env,
            start_new_session=True,  # Ctrl-C in the terminal is the run's to handle
        )
    except OSError as error:
        raise FirstContactError(f"cannot start a process for a server: {error.strerror}") from None


def _signal(number: int) -> str:
    name = signal.Signals(number).name if number in set(signal.Signals) else "an unknown signal"
    hint = ", perhaps because the machine ran out of memory" if number == signal.SIGKILL else ""
    return f"signal {number} ({name}){hint}"
