"""Random access to a file of any size with bounded memory."""

import json
import re
from pathlib import Path

_decoder = json.JSONDecoder(strict=False)
_PIECE = 1 << 18
_AHEAD = 2
"""Bytes that a pattern may need to see at once."""


class FileWindow:
    """Reads a file's bytes by offset; a file that shrinks just ends earlier.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._start = 0
        self._piece = b""
        self._text = ""

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes between two offsets."""
        first, last = start - self._start, end - self._start
        if first >= 0 and last <= len(self._piece):
            return self._piece[first:last]
        self._file.seek(start)
        return self._file.read(end - start)

    def find(self, pattern: re.Pattern[bytes], at: int) -> int:
        """Return the next offset where a single-byte pattern matches, else the end."""
        while True:
            here = self._hold(at)
            found = pattern.search(self._piece, here)
            if found is not None:
                return self._start + found.start()
            at = self._start + len(self._piece)
            if here >= len(self._piece):
                return at

    def skip(self, pattern: re.Pattern[bytes], at: int) -> int:
        """Return the offset after all repetitions of a pattern."""
        while True:
            here = self._hold(at)
            found = pattern.match(self._piece, here)
            end = at if found is None else self._start + found.end()
            if end == at or end < self._start + len(self._piece) - _AHEAD:
                return end
            at = end

    def end_of_json(self, at: int) -> int | None:
        """Return the end of the JSON list or object at an offset.

        None means that it is larger than a piece, or damaged.
        """
        here = self._hold(at)
        try:
            return self._start + _decoder.raw_decode(self._text, here)[1]
        except (ValueError, RecursionError):
            if here < _PIECE // 2:
                return None
        self._hold(at, begin=True)
        return self.end_of_json(at)

    def lines_before(self, at: int) -> int:
        """Return the number of lines before an offset."""
        steps = range(0, at, _PIECE)
        return sum(self.read(start, min(start + _PIECE, at)).count(b"\n") for start in steps)

    def _hold(self, at: int, *, begin: bool = False) -> int:
        """Load the block around an offset, and return the offset within it."""
        here = at - self._start
        if begin or not 0 <= here <= len(self._piece) - _AHEAD:
            self._file.seek(at)
            self._start, self._piece, here = at, self._file.read(_PIECE), 0
            self._text = self._piece.decode("latin-1")  # a character for each byte
        return here
