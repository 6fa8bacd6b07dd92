"""A terminal as a person sees it: what is on its screen, and keys to press.

It knows the sequences that are meant to be sent, and refuses all others.
"""

import fcntl
import os
import pty
import re
import struct
import termios
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from rich.cells import cell_len

_SEQUENCE = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])")
_PATIENCE_S = 60


class Terminal:
    """A pseudo-terminal; `name` is for the process that is started on it.

    Attributes:
        name: Path of its device.
        raw: All that was written to it.
        modes: Its private modes that were set, and not reset.
    """

    def __init__(self, columns: int = 100, lines: int = 60) -> None:
        self._ours, self._theirs = pty.openpty()
        self.name = os.ttyname(self._theirs)
        self.raw = ""
        self.modes: set[str] = {"7", "25"}
        self._bytes = b""
        self._screens: dict[bool, list[str]] = {False: [""], True: [""]}
        self._at = (0, 0)
        self._changed = threading.Condition()
        self._reads = threading.Event()
        self._reads.set()
        self.resize(columns, lines)
        self.settings: list[Any] = termios.tcgetattr(self._theirs)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reads.set()
        os.close(self._theirs)
        self._thread.join()
        os.close(self._ours)

    def resize(self, columns: int, lines: int) -> None:
        """Change its size."""
        self.columns, self.lines = columns, lines
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def stop_reading(self) -> None:
        """Take nothing more of what is written to it."""
        self._reads.clear()

    def read_on(self) -> None:
        """Take what is written to it again."""
        self._reads.set()

    @property
    def is_in_order(self) -> bool:
        """Whether all is as it was: echo, the cursor, and the first screen."""
        if self._failure is not None:
            raise self._failure
        return self.modes == {"7", "25"} and self.settings == termios.tcgetattr(self._theirs)

    def until_in_order(self) -> None:
        """Wait until all is as it was: what a program wrote last may not be read yet."""
        self.until_so(lambda: self.is_in_order, "not in order")

    @property
    def shown(self) -> str:
        """What is on the screen now."""
        return "\n".join(self._screen)

    @property
    def left_behind(self) -> str:
        """What is on the first screen, which programs leave behind."""
        return "\n".join(self._screens[False])

    def until(self, *words: str, unless: str = "") -> str:
        """Wait until all of these are on the screen at one time, and return it."""
        return self.until_so(
            lambda: (
                all(each in self.shown for each in words) and not (unless and unless in self.shown)
            ),
            f"{words} not shown",
        )

    def until_so(self, is_so: Callable[[], bool], message: str = "not so") -> str:
        """Wait until something holds of the screen, and return the screen."""
        end = time.monotonic() + _PATIENCE_S
        with self._changed:
            while not is_so():
                if self._failure is not None:
                    raise self._failure
                assert time.monotonic() < end, f"{message}:\n{self.shown}"
                self._changed.wait(0.2)
            return self.shown

    @property
    def _screen(self) -> list[str]:
        return self._screens["1049" in self.modes]

    def _read(self) -> None:
        while True:
            self._reads.wait()
            try:
                data = os.read(self._ours, 4096)
            except OSError:  # all have closed it
                return
            with self._changed:
                try:
                    self._take(data)
                except Exception as error:  # noqa: BLE001 - the test's own thread raises it
                    self._failure = self._failure or error
                self._changed.notify_all()

    def _take(self, data: bytes) -> None:
        text = (self._bytes + data).decode("utf-8", "surrogateescape")
        # What is cut in two is read with its other half.
        cut = re.search(r"(\x1b(\[[0-9;?]*)?|[\udc80-\udcff]{1,3})\Z", text)
        rest = "" if cut is None else cut[0]
        self._bytes = rest.encode("utf-8", "surrogateescape")
        text = text.removesuffix(rest)
        self.raw += text
        # A frame that was dropped half-way may end within a sequence or a character.
        text = re.sub(r"(\x1b\[\??[0-9;]*|\x1b|[\udc80-\udcff]+)(?=\x1b)", "", text)
        for part in re.split(r"(\x1b\[\??[0-9;]*[A-Za-z]|\x1b.|[\r\n\a\b])", text):
            if part:
                self._obey(part) if part[0] in "\x1b\r\n\a\b" else self._write(part)

    def _obey(self, part: str) -> None:
        row, column = self._at
        if part == "\r":
            self._at = (row, 0)
        elif part == "\n":
            self._at = (row + 1, column)
        elif found := _SEQUENCE.fullmatch(part):
            self._control(found[1] + found[3], found[2])
        else:
            raise AssertionError(f"unknown: {part!r}")

    def _control(self, kind: str, value: str) -> None:
        row, column = self._at
        match kind:
            case "m":
                pass
            case "H":
                row, column = (int(x) - 1 for x in (value or "1;1").split(";"))
                self._at = (min(row, self.lines - 1), column)
            case "A":
                self._at = (max(row - int(value or "1"), 0), column)
            case "K" if value == "2":
                self._line(row, lambda _: "")
            case "K":
                self._line(row, lambda line: line[:column])
            case "J" if value == "2":
                self._screen[:] = [""]
            case "J":
                del self._screen[row:]
            case "?h":
                self.modes.add(value)
            case "?l":
                self.modes.discard(value)
            case _:
                raise AssertionError(f"unknown: {kind!r} {value!r}")

    def _write(self, text: str) -> None:
        row, column = self._at
        if "1049" in self.modes:
            assert text.isprintable(), repr(text)
        self._line(
            row, lambda line: line[:column].ljust(column) + text + line[column:][len(text) :]
        )
        self._at = (row, column + len(text))

    def _line(self, row: int, change: Callable[[str], str]) -> None:
        screen = self._screen
        screen += [""] * (row + 1 - len(screen))
        screen[row] = change(screen[row])

    @property
    def widest(self) -> int:
        """Columns of the longest line."""
        return max(cell_len(line) for line in [*self._screen, ""])
