"""A watchdog process that stops the server whenever safejury ends.

It runs as a program of its own, by its path and on the standard library alone, so that it
is up in a moment and small. Its first line of standard input is JSON with the command and
the log; after that it waits. The server, and all that descends from it, is stopped when
standard input ends or safejury is no longer its parent, which happens however safejury ends,
and when the server ends by itself. It exits with the server's code, 128 + n for signal n.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

UNSTARTED = 127
"""Its exit code where the command could not be run."""
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PARENT_POLL_S = 1.0
_KILLING_S = 30.0
_LOOK_AGAIN_S = 0.1
CLEANING_S = 5.0
"""Seconds that cleaners have once all others were killed."""
_CLEANERS = (b"multiprocessing.resource_tracker", b"torch_shm_manager")
"""Processes that remove the shared memory of those that were killed, and then end."""
_HAS_PROC = os.path.isdir("/proc/self")


def main() -> None:
    """Run the command given on standard input, and stop it at the end."""
    line = sys.stdin.buffer.readline()
    if not line:
        return  # safejury ended before it said what to run
    order = json.loads(line)
    parent: int = order["parent"]
    prctl = _prctl()
    # Descendants whose parent ended become our children, however they were forked.
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    signals = _Signals()
    try:
        if order.get("scratch"):
            os.mkdir(order["scratch"], 0o700)
        with open(order["log"], "ab", buffering=0) as log:
            server = subprocess.Popen(
                order["command"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # No threads here, so what runs between fork and exec is safe.
                preexec_fn=lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),  # noqa: PLW1509
            )
    except OSError as error:
        _say({"error": error.strerror or str(error)})
        sys.exit(UNSTARTED)
    _say({"pid": server.pid})
    while _reap(server) is None and not signals.stop and os.getppid() == parent:
        readable, _, _ = select.select([0, signals.pipe], [], [], _PARENT_POLL_S)
        if 0 in readable and not os.read(0, 4096):
            break
        signals.drain()
    _end(server, order["grace"], signals)
    if order.get("scratch"):
        shutil.rmtree(order["scratch"], ignore_errors=True)
    code = server.returncode if server.returncode is not None else -signal.SIGKILL
    sys.exit(128 - code if code < 0 else code)


class _Signals:
    """Wakes the loop for ended children and for requests to stop."""

    def __init__(self) -> None:
        self.pipe, self._writer = os.pipe()
        os.set_blocking(self.pipe, False)
        os.set_blocking(self._writer, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self.stop = False
        signal.signal(signal.SIGCHLD, _nothing)
        signal.signal(signal.SIGTERM, self._stop)
        # Not ignored: the server would inherit that.
        for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(ignored, _nothing)

    def _stop(self, *_: object) -> None:
        self.stop = True

    def wait(self, timeout: float) -> None:
        select.select([self.pipe], [], [], timeout)
        self.drain()

    def drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self.pipe, 4096):
                pass


def _end(server: subprocess.Popen[bytes], grace: float, signals: _Signals) -> None:
    """Terminate all processes, and kill those that remain after `grace` seconds."""
    now = time.monotonic()
    asked_until, killed_until = now + grace, now + grace + _KILLING_S
    _signal_all(server, signal.SIGTERM)
    while _left(server) and (now := time.monotonic()) < killed_until:
        if now >= asked_until:
            _signal_all(server, signal.SIGKILL, spared=now < asked_until + CLEANING_S)
        # A grandchild's end sends no signal, so the list is polled.
        signals.wait(_LOOK_AGAIN_S)


def _left(server: subprocess.Popen[bytes]) -> list[int]:
    _reap(server)
    return _descendants() or ([server.pid] if server.returncode is None else [])


def _signal_all(server: subprocess.Popen[bytes], number: int, *, spared: bool = False) -> None:
    """Send a signal to all processes, optionally except cleaners."""
    # The group has its cleaners, too.
    if not _HAS_PROC or (server.returncode is None and not spared):
        with contextlib.suppress(OSError):
            os.killpg(server.pid, number)
    for pid in _descendants():
        if spared and is_cleaner(pid):
            continue
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def _reap(server: subprocess.Popen[bytes]) -> int | None:
    """Reap all ended children and return the server's exit code once it has one."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if not pid:
            break
        if pid == server.pid:
            server.returncode = os.waitstatus_to_exitcode(status)
    return server.returncode


def _descendants() -> list[int]:
    """Return all descendants of this process, none on systems without /proc."""
    children: dict[int, list[int]] = {}
    for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if _HAS_PROC else ():
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        children.setdefault(parent, []).append(pid)
    found, todo = list[int](), [os.getpid()]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def is_cleaner(pid: int) -> bool:
    """Return whether a process cleans up the shared memory of others."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            command = file.read()
    except OSError:
        return False
    return any(name in command for name in _CLEANERS)


def _prctl() -> Callable[[int, int], object]:
    if not sys.platform.startswith("linux"):
        return _nothing
    prctl = ctypes.CDLL(None).prctl
    prctl.argtypes = [ctypes.c_int, ctypes.c_ulong]
    return prctl


def _nothing(*_: object) -> None:
    pass


def _say(words: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # the reader is gone: standard input has ended as well
        os.write(1, json.dumps(words).encode() + b"\n")


if __name__ == "__main__":
    main()
