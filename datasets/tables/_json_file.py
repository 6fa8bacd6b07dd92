"""Walks through a large JSON document without loading it into memory."""

import codecs
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Self

from ._decode import decode
from ._file_window import FileWindow
from ._values import RowError

_STRUCTURE = re.compile(rb'["\[\]{}]')
_NO_SPACE = re.compile(rb"[^ \t\r\n]")
_PLAIN_END = re.compile(rb"[ \t\r\n,\]}]")
_TEXT = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_RECENT = 16
_TRIED = 8
"""Levels down to which a list or object is tried as a whole, should that around it fail."""
_PAIRS = {b"{": b"}", b"[": b"]"}


class BrokenJson(ValueError):
    """The document is invalid JSON from here on, or truncated.

    Attributes:
        line: The line, from 1.
    """

    def __init__(self, line: int, why: str = "the file is damaged or cut off") -> None:
        super().__init__(f"not JSON at line {line}: {why}; the rest of the file is not read")
        self.line = line


class JsonFile:
    """A JSON document on disk whose values are accessed by offset.

    Use it as a context manager.

    Args:
        path: The file.

    Attributes:
        root: The offset of the document's value.
    """

    def __init__(self, path: Path) -> None:
        self._window = FileWindow(path)
        mark = len(codecs.BOM_UTF8)
        self.root = self._past_space(mark if self._byte(0, mark) == codecs.BOM_UTF8 else 0)
        self._recent: dict[int, int] = {}
        self._ends: dict[int, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._window.close()

    def members(self, at: int) -> Iterator[tuple[str, int]]:
        """Yield the keys of the object at an offset, with the offsets of their values.

        Raises:
            BrokenJson: There is no object, it is damaged, or it is the document's and
                something follows it.
        """
        yield from self._members(at)
        if at == self.root:
            self.finish()

    def keys(self, at: int, most: int) -> tuple[str, ...]:
        """Return the first keys of the object at an offset.

        Raises:
            BrokenJson: There is no object, or it is damaged.
        """
        return tuple(key for key, _ in islice(self._members(at), most))

    def elements(self, at: int) -> Iterator[int]:
        """Yield the offsets of the values in the list at an offset.

        Raises:
            BrokenJson: There is no list, it is damaged, or it is the document and something
                follows it.
        """
        yield from self._items(at, b"[", b"]")
        if at == self.root:
            self.finish()

    def member(self, at: int, name: str) -> int | None:
        """Return the offset of one value of an object, None if the key is missing."""
        return next((value for key, value in self._members(at) if key == name), None)

    def finish(self) -> None:
        """Raise an error if anything follows the document.

        Raises:
            BrokenJson: Something does, or the document does not end.
        """
        after = self._past_space(self._end(self.root))
        if self._byte(after):
            raise self._broken(after, "more follows the end of its list or object")

    def opens(self, at: int | None) -> str:
        """Return the first character of the value at an offset, such as `{`."""
        return "" if at is None else self._byte(at).decode("ascii", "replace")

    def value(self, at: int) -> object:
        """Return the value at an offset, or a `RowError` if it is invalid but its end is known.

        Raises:
            BrokenJson: It has no end.
        """
        end = self._end(at)
        try:
            return decode(self._window.read(at, end))
        except ValueError as error:
            return RowError(str(error))

    def _members(self, at: int) -> Iterator[tuple[str, int]]:
        for start in self._items(at, b"{", b"}"):
            key = self.value(start)
            colon = self._past_space(self._end(start))
            if not isinstance(key, str) or self._byte(colon) != b":":
                raise self._broken(start)
            yield key, self._past_space(colon + 1)

    def _items(self, start: int, opening: bytes, closing: bytes) -> Iterator[int]:
        if self._byte(start) != opening:
            raise self._broken(start)
        at = end = self._past_space(start + 1)
        separator = self._byte(end)
        while separator != closing:
            yield at
            end = self._past_space(self._end(at))
            if opening == b"{":
                end = self._past_space(self._end(self._past_space(end + 1)))
            separator = self._byte(end)
            if separator not in (b",", closing):
                raise self._broken(end)
            at = self._past_space(end + 1)
        self._ends[start] = end + 1

    def _end(self, at: int) -> int:
        """Return the end of the value at an offset; recent results are cached."""
        if at not in self._recent:
            if len(self._recent) == _RECENT:
                self._recent.clear()
            self._recent[at] = self._find_end(at)
        return self._recent[at]

    def _find_end(self, at: int) -> int:
        first = self._byte(at)
        if first == b'"':
            return self._string_end(at)
        if first not in _PAIRS:
            end = self._window.find(_PLAIN_END, at)
            if end == at:
                raise self._broken(at)
            return end
        if end := self._ends.get(at) or self._window.end_of_json(at):
            return end
        open_, here = [_PAIRS[first]], at + 1
        while open_:
            here = self._window.find(_STRUCTURE, here)
            sign = self._byte(here)
            if sign == b'"':
                here = self._string_end(here)
            elif sign in _PAIRS:
                # What was walked through, or fits into memory, is passed over.
                end = self._ends.get(here)
                if end is None and len(open_) < _TRIED:
                    end = self._window.end_of_json(here)
                if end is None:
                    open_.append(_PAIRS[sign])
                here = end or here + 1
            elif sign == open_.pop():
                here += 1
            else:
                raise self._broken(here)
        return here

    def _string_end(self, at: int) -> int:
        end = self._window.skip(_TEXT, at + 1)
        if self._byte(end) != b'"':
            raise self._broken(end)
        return end + 1

    def _past_space(self, at: int) -> int:
        return self._window.find(_NO_SPACE, at)

    def _byte(self, at: int, count: int = 1) -> bytes:
        return self._window.read(at, at + count)

    def _broken(self, at: int, *why: str) -> BrokenJson:
        return BrokenJson(self._window.lines_before(at) + 1, *why)
