"""Walking through one large JSON document without holding it in memory."""

import codecs
import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from ._decode import decode

_STRUCTURE = re.compile(rb'["\[\]{}]')
_SPACE = re.compile(rb"[ \t\r\n]*")
_PLAIN = re.compile(rb"[^ \t\r\n,\]}]+")


class BrokenJson(ValueError):
    """The document is not JSON from here on, or ends too early.

    Attributes:
        line: The line, from 1.
    """

    def __init__(self, line: int) -> None:
        super().__init__(f"not JSON at line {line}: the file is damaged or cut off")
        self.line = line


class JsonFile:
    """A JSON document on disk whose values are visited by their offsets.

    Use it as a context manager.

    Args:
        path: The file; not empty.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        start = len(codecs.BOM_UTF8) if self._bytes[:3] == codecs.BOM_UTF8 else 0
        self.root = self._past_space(start)
        self._last = (-1, -1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bytes.close()

    def members(self, at: int) -> Iterator[tuple[str, int]]:
        """Yield the keys of the object at an offset, with the offsets of their values.

        Raises:
            BrokenJson: There is no object, or it is damaged.
        """
        for start in self._items(at, b"{", b"}"):
            key = self.value(start)
            colon = self._past_space(self._end(start))
            if not isinstance(key, str) or self._bytes[colon : colon + 1] != b":":
                raise self._broken(start)
            yield key, self._past_space(colon + 1)

    def elements(self, at: int) -> Iterator[int]:
        """Yield the offsets of the values in the list at an offset.

        Raises:
            BrokenJson: There is no list, or it is damaged.
        """
        return self._items(at, b"[", b"]")

    def member(self, at: int, name: str) -> int | None:
        """Return the offset of one value of an object, None if it has no such key."""
        return next((value for key, value in self.members(at) if key == name), None)

    def opens(self, at: int | None) -> str:
        """Return the first character of the value at an offset, such as `{`."""
        return "" if at is None else self._bytes[at : at + 1].decode("ascii", "replace")

    def value(self, at: int) -> object:
        """Return the value at an offset.

        Raises:
            BrokenJson: It is damaged.
        """
        try:
            return decode(self._bytes[at : self._end(at)])
        except ValueError:
            raise self._broken(at) from None

    def _items(self, at: int, opening: bytes, closing: bytes) -> Iterator[int]:
        if self._bytes[at : at + 1] != opening:
            raise self._broken(at)
        at = self._past_space(at + 1)
        if self._bytes[at : at + 1] == closing:
            return
        while True:
            yield at
            end = self._past_space(self._end(at))
            if opening == b"{":
                end = self._past_space(self._end(self._past_space(end + 1)))
            separator = self._bytes[end : end + 1]
            if separator == closing:
                return
            if separator != b",":
                raise self._broken(end)
            at = self._past_space(end + 1)

    def _end(self, at: int) -> int:
        """Return where the value at an offset ends; the last answer is kept."""
        if self._last[0] != at:
            self._last = (at, self._find_end(at))
        return self._last[1]

    def _find_end(self, at: int) -> int:
        first = self._bytes[at : at + 1]
        if first == b'"':
            return self._string_end(at)
        if first not in (b"{", b"["):
            plain = _PLAIN.match(self._bytes, at)
            if plain is None:
                raise self._broken(at)
            return plain.end()
        depth, here = 0, at
        while found := _STRUCTURE.search(self._bytes, here):
            sign, here = found.group(), found.end()
            if sign == b'"':
                here = self._string_end(found.start())
                continue
            depth += 1 if sign in b"{[" else -1
            if depth == 0:
                return here
        raise self._broken(len(self._bytes))

    def _string_end(self, at: int) -> int:
        here = at
        while (here := self._bytes.find(b'"', here + 1)) > 0:
            before = here
            while self._bytes[before - 1 : before] == b"\\":
                before -= 1
            if (here - before) % 2 == 0:
                return here + 1
        raise self._broken(len(self._bytes))

    def _past_space(self, at: int) -> int:
        space = _SPACE.match(self._bytes, at)
        return space.end() if space else at

    def _broken(self, at: int) -> BrokenJson:
        step = 1 << 20
        lines = sum(
            self._bytes[start : min(start + step, at)].count(b"\n") for start in range(0, at, step)
        )
        return BrokenJson(lines + 1)
