"""Starts the server process that all users of an embedded model share."""

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import IO

import msgspec

from ...common import FirstContactError

_TAIL_BYTES = 800
_STOP_S = 5.0
_SLEEPING = {"OMP_WAIT_POLICY": "passive"}
"""Threads sleep while they wait for each other, some hundred times a token.

Else they spin: where other work wants the cores, two were ten times slower than one.
"""
_lock = threading.Lock()


class Address(msgspec.Struct, frozen=True):
    """The server's address and API key.

    Attributes:
        url: Such as `http://127.0.0.1:41234`.
        api_key: Made by the server at its start.
    """

    url: str
    api_key: str


class EmbeddedProcess:
    """A running server with a reference count; create one with `acquire`.

    Args:
        key: The model's name.
        file: The model's weights.
        threads: Threads that compute, 1 or more.
    """

    def __init__(self, key: str, file: Path, threads: int) -> None:
        self._key = key
        self._users = 0
        # Appending, so that reading the tail does not move where the server writes.
        self._log: IO[bytes] = tempfile.TemporaryFile("a+b")  # noqa: SIM115  (closed in _stop)
        self._child = _spawn(key, file, threads, self._log)
        self._address = Future[Address]()
        self._address.set_running_or_notify_cancel()  # a caller that stops waiting cancels no other
        self._reader = threading.Thread(target=self._read_address, daemon=True)
        self._reader.start()

    @classmethod
    def acquire(cls, key: str, file: Path, threads: int) -> "EmbeddedProcess":
        """Return the running server of `key`, starting it if needed; release it once."""
        with _lock:
            shared = _shared.get(key)
            if shared is None or shared.ended is not None:
                shared = _shared[key] = cls(key, file, threads)
            shared._users += 1
            return shared

    async def ready(self, timeout: float) -> Address:
        """Wait until the server answers and return its address.

        Args:
            timeout: Seconds to wait.

        Raises:
            FirstContactError: It ended, or did not answer in time.
        """
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.wrap_future(self._address)
        except TimeoutError:
            self._child.kill()
            what = f"its server did not start within {timeout:g} s"
            raise FirstContactError(f"embedded/{self._key}: {what}{self._tail()}") from None

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._child.pid

    @property
    def ended(self) -> str | None:
        """How the server exited, None while it runs."""
        code = self._child.poll()
        return None if code is None else f"its server ended with code {code}{self._tail()}"

    async def release(self) -> None:
        """Release one use; the last one stops the server."""
        with _lock:
            self._users -= 1
            if self._users:
                return
            if _shared.get(self._key) is self:
                del _shared[self._key]
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        try:
            self._child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._reader.join()
        self._child.stdout.close()
        self._log.close()

    def _read_address(self) -> None:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        try:
            self._address.set_result(msgspec.json.decode(line, type=Address))
        except msgspec.DecodeError:
            self._child.kill()
            self._child.wait()
            what = f"embedded/{self._key}: {self.ended}"
            self._address.set_exception(FirstContactError(what))

    def _tail(self) -> str:
        if self._log.closed:
            return ""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _TAIL_BYTES))
        words = self._log.read().decode("utf-8", "replace").split()
        said = "".join(c for c in " ".join(words) if c.isprintable())
        return f"; the end of its log: {said}" if said else ""


_shared: dict[str, EmbeddedProcess] = {}


def _spawn(key: str, file: Path, threads: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    # The kernel counts the death of the thread that made the child as the parent's.
    in_main = threading.current_thread() is threading.main_thread()
    parent = os.getpid() if in_main else 0
    module = f"{__package__}._server"
    return subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", module),
            *("--model", str(file), "--alias", key),
            *("--threads", str(threads), "--parent", str(parent)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env=_SLEEPING | os.environ,
        start_new_session=True,  # Ctrl-C in the terminal is the run's to handle
    )
