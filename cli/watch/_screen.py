"""The terminal while a view has it: a second screen, drawn line by line, and its keys."""

import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from ._keys import KeyReader

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J"
_LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
_AT_ONCE = 65_536
"""Bytes of keys read at one time."""


def why_no_screen() -> str | None:
    """Return why there is no terminal to draw on and to read keys from, None where there is."""
    for stream, name in ((sys.stderr, "standard error"), (sys.stdin, "standard input")):
        if stream is None or stream.closed or not stream.isatty():
            return f"{name} is not a terminal"
    if os.environ.get("TERM", "dumb") in ("dumb", "unknown", ""):
        return "TERM says that the terminal is a plain one"
    if os.environ.get("NO_COLOR"):
        return "NO_COLOR asks for plain lines"
    try:
        if not _is_in_front(sys.stdin.fileno()):
            return "it was started in the background"
        os.close(_opened(sys.stderr.fileno()))
    except OSError as error:
        return f"the terminal cannot be used ({error.strerror})"
    return None


def _is_in_front(terminal: int) -> bool:
    return os.tcgetpgrp(terminal) == os.getpgrp()


def _opened(stream: int) -> int:
    """Open the terminal of a stream once more: what never blocks must not be shared."""
    flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK
    return os.open(os.ttyname(stream), flags)


class Screen:
    """A second screen of the terminal, and the keys that are pressed there.

    Writing never blocks: what a slow terminal does not take yet is kept, and no further lines
    are drawn until it has. All but `enter` and `leave` belong to one thread.
    """

    def __init__(self) -> None:
        self._keyboard = sys.stdin.fileno()
        self._terminal = _opened(sys.stderr.fileno())
        self._encoding = sys.stderr.encoding or "utf-8"
        self._keys = KeyReader()
        self._settings: list[Any] | None = None
        self._shown: list[str] = []
        self._pending = memoryview(b"")
        self._woken, self._waker = os.pipe()
        self._is_closed = False  # by whoever held it, such as a window
        self._lock = threading.RLock()  # signals may come while the main thread has it

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        with suppress(OSError):
            size = os.get_terminal_size(self._terminal)
            if size.columns and size.lines:
                return size.columns, size.lines
        return 80, 24

    @property
    def is_up(self) -> bool:
        """Whether it is shown."""
        return self._settings is not None

    @property
    def is_closed(self) -> bool:
        """Whether nobody can press a key any more."""
        return self._is_closed

    @property
    def is_busy(self) -> bool:
        """Whether the terminal has not taken all that was drawn."""
        return bool(self._pending)

    def enter(self) -> None:
        """Show it, and read keys one by one; signals are sent by keys as ever."""
        with self._lock:
            self._settings = termios.tcgetattr(self._keyboard)
            ours = termios.tcgetattr(self._keyboard)
            ours[3] &= ~(termios.ICANON | termios.ECHO)
            ours[6][termios.VMIN], ours[6][termios.VTIME] = 1, 0
            termios.tcsetattr(self._keyboard, termios.TCSANOW, ours)
            self._shown = []
            self._pending = memoryview(_ENTER.encode())

    def leave(self) -> None:
        """Give the terminal back as it was; waits until a slow one has taken it."""
        with self._lock:
            if self._settings is None:
                return
            with suppress(OSError, termios.error):  # a terminal that was closed
                termios.tcsetattr(self._keyboard, termios.TCSANOW, self._settings)
                termios.tcflush(self._keyboard, termios.TCIFLUSH)
            self._settings = None
            # Whatever was not taken yet is dropped: the escape ends a sequence cut in two.
            self._pending = memoryview(_LEAVE.encode())
            while self._pending:
                select.select([], [self._terminal], [])
                self._write()

    def close(self) -> None:
        """Close it for good, after `leave`."""
        for descriptor in (self._terminal, self._woken, self._waker):
            os.close(descriptor)

    def wake(self) -> None:
        """End a `wait`, from any thread."""
        with suppress(OSError):
            os.write(self._waker, b".")

    def wait(self, seconds: float) -> list[str]:
        """Wait for keys, for room to write, or to be woken; return the keys."""
        writing = [self._terminal] if self._pending else []
        keys = [self._keyboard] if self.is_up and not self._is_closed else []
        ready, writable, _ = select.select([self._woken, *keys], writing, [], seconds)
        if self._woken in ready:
            os.read(self._woken, _AT_ONCE)
        with self._lock:
            if writable and self.is_up:
                self._write()
            if self._keyboard in ready and self.is_up:
                return self._read()
        return self._keys.flush()

    def _read(self) -> list[str]:
        data = b""
        with suppress(OSError):
            data = os.read(self._keyboard, _AT_ONCE)
        self._is_closed = not data
        return self._keys.read(data)

    def draw(self, lines: Sequence[str], *, anew: bool = False) -> None:
        """Show these lines, each within the width, in place of those before."""
        with self._lock:
            if not self.is_up or self._pending:
                return
            before = self._shown
            parts = ["\x1b[2J"] if anew else []
            for row, line in enumerate(lines):
                if anew or row >= len(before) or before[row] != line:
                    parts.append(f"\x1b[{row + 1};1H\x1b[0m\x1b[K{line}")
            if not anew and len(lines) < len(before):
                parts.append(f"\x1b[{len(lines) + 1};1H\x1b[J")
            self._shown = list(lines)
            self._pending = memoryview("".join(parts).encode(self._encoding, "replace"))
            self._write()

    def _write(self) -> None:
        try:
            while self._pending:
                self._pending = self._pending[os.write(self._terminal, self._pending) :]
        except BlockingIOError:
            pass
        except OSError:  # the terminal was closed: SIGHUP ends the run
            self._pending = memoryview(b"")

    @contextmanager
    def stopped_with_the_job(self) -> Generator[None]:
        """Give the terminal back while the process is stopped by Ctrl-Z, or goes on behind."""

        def stop(number: int, frame: FrameType | None) -> None:
            self.leave()
            os.kill(os.getpid(), signal.SIGSTOP)

        def go_on(number: int, frame: FrameType | None) -> None:
            with suppress(OSError):
                if not self.is_up and _is_in_front(self._keyboard):
                    self.enter()
                    self.wake()

        before: dict[int, Any] = {}
        handlers: dict[int, Callable[[int, FrameType | None], None]]
        handlers = {signal.SIGTSTP: stop, signal.SIGCONT: go_on}
        with suppress(ValueError):  # not off the main thread
            for number, handler in handlers.items():
                before[number] = signal.signal(number, handler)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
