"""Processes of the command line that need not load it: forked from one that has.

`Preloaded.start` gives what `subprocess.Popen` gives, in a hundredth of a second. A test
whose process must begin at the beginning starts one of its own.

Run as a program, with the descriptor of a socket, it is the process that has all loaded.
"""

import atexit
import fcntl
import gc
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_MESSAGE_BYTES = 1 << 20
_READY = b"ready"


class Forked:
    """A process that is not this one's child; used as a `subprocess.Popen[str]` is.

    Attributes:
        pid: Its number.
        returncode: How it ended, None while it runs.
        stdout: What it writes.
        stderr: What it complains of.
    """

    def __init__(self, status: int, out: int, err: int) -> None:
        self._status = os.fdopen(status, "rb", buffering=0)
        self.stdout = os.fdopen(out, encoding="utf-8")
        self.stderr = os.fdopen(err, encoding="utf-8")
        self.returncode: int | None = None
        self.pid = int(self._status.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.kill()  # or a test that failed would wait for it
        self.wait()
        self._close()

    def _close(self) -> None:
        self.stdout.close()
        self.stderr.close()

    def poll(self) -> int | None:
        """Return how it ended, None while it runs."""
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.returncode = int(self._status.readline())
            self._status.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        if self.returncode is None and not select.select([self._status], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("safejury", timeout or 0.0)
        code = self.poll()
        assert code is not None
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Read all that it writes until its end."""
        until = None if timeout is None else time.monotonic() + timeout
        said = ["", ""]

        def read(number: int, stream: Any) -> None:
            said[number] = stream.read()

        streams = (self.stdout, self.stderr)
        readers = [threading.Thread(target=read, args=each) for each in enumerate(streams)]
        for reader in readers:
            reader.daemon = True
            reader.start()
        for reader in readers:
            reader.join(None if until is None else max(0.0, until - time.monotonic()))
            if reader.is_alive():
                raise subprocess.TimeoutExpired("safejury", timeout or 0.0)
        self.wait(timeout)
        self._close()
        return said[0], said[1]

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Preloaded:
    """Starts processes from one that has loaded the command line; `close` ends that one."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._lock = threading.Lock()
        self._socket = ours
        with theirs:
            command = [sys.executable, "-P", __file__, str(theirs.fileno())]
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], env=_plain(os.environ)
            )
        assert ours.recv(len(_READY)) == _READY, "the process that loads all has ended"

    def start(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        largest_file: int | None,
        terminal: str | None = None,
    ) -> Forked:
        """Start a command.

        Args:
            arguments: What follows the program's name.
            cwd: Where.
            env: Its environment.
            largest_file: Bytes at which writing to a file fails, None for no limit.
            terminal: Path of a terminal that is to be all of its streams, None for pipes.
        """
        os.umask(umask := os.umask(0o077))
        order = {
            "arguments": arguments,
            "cwd": str(cwd),
            "env": _plain(env),
            "limit": largest_file,
            "terminal": terminal,
            "umask": umask,
        }
        (out, out_end), (err, err_end), (status, status_end) = os.pipe(), os.pipe(), os.pipe()
        ends = [out_end, err_end, status_end]
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(order).encode()], ends)
            self._socket.recv(1)  # they are taken
        for end in ends:
            os.close(end)
        return Forked(status, out, err)

    def close(self) -> None:
        """End the process that has all loaded; what it started goes on."""
        self._socket.close()
        self._process.wait()


@cache
def preloaded() -> Preloaded:
    """Return the process of this session that has all loaded; it ends with the session."""
    one = Preloaded()
    atexit.register(one.close)
    return one


def _plain(environment: Mapping[str, str]) -> dict[str, str]:
    # Output is buffered, as it is for most users.
    return {k: v for k, v in environment.items() if k != "PYTHONUNBUFFERED"}


def _serve(orders: socket.socket) -> dict[str, Any]:
    """Fork a process for each order, until the socket is closed; return the order in it."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    orders.send(_READY)
    while True:
        message, ends, _, _ = socket.recv_fds(orders, _MESSAGE_BYTES, 3)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            orders.close()
            return _watched(json.loads(message), *ends)
        for end in ends:
            os.close(end)
        orders.send(b".")


def _watched(order: dict[str, Any], out: int, err: int, status: int) -> dict[str, Any]:
    """Fork once more, and tell the status of that process; return in it alone."""
    pid = os.fork()
    if pid == 0:
        os.dup2(out, 1)
        os.dup2(err, 2)
        for end in (out, err, status):
            os.close(end)
        return order
    os.close(out)
    os.close(err)
    os.write(status, b"%d\n" % pid)
    _, ended = os.waitpid(pid, 0)
    os.write(status, b"%d\n" % os.waitstatus_to_exitcode(ended))
    os._exit(0)


def _load() -> None:
    """Import what a run imports."""
    for name in ("cli", "cli.run", "cli.watch", "agents", "deliberation", "evaluation"):
        package = import_module(f"safejury.{name}")
        for public in package.__all__:
            getattr(package, public)
    gc.freeze()  # nor would a collection copy all of it


def _become(order: dict[str, Any]) -> None:
    """Take over what a process of that order would begin with."""
    os.chdir(order["cwd"])
    os.umask(order["umask"])
    os.environ.clear()
    os.environ.update(order["env"])
    if order["limit"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["limit"], order["limit"]))
    if order["terminal"] is not None:
        _sit_at(order["terminal"])
    sys.argv = ["safejury", *order["arguments"]]
    # Those of the process that has all loaded know what their descriptors were.
    sys.stdout = open(1, "w", encoding=sys.stdout.encoding, closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace", closefd=False
    )


def _sit_at(path: str) -> None:
    """Have a terminal as the controlling one, and for all streams."""
    os.setsid()
    terminal = os.open(path, os.O_RDWR)
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for stream in (0, 1, 2):
        os.dup2(terminal, stream)
    sys.stdin = open(0, encoding=sys.stdin.encoding, closefd=False)  # noqa: SIM115


def _run() -> None:
    """Run the command and end as it does, without taking down all that was loaded."""
    code = list[int]()

    def end() -> None:
        if code:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code[0])

    atexit.register(end)  # before what the command registers, so it comes last
    try:
        import_module("safejury.cli").main()
    except SystemExit as ended:
        code.append(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
        raise


if __name__ == "__main__":
    _load()
    _become(_serve(socket.socket(fileno=int(sys.argv[1]))))
    _run()
