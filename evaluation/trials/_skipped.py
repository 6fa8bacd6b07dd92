"""Lists and counts the rows and items that were skipped when a run's files were read."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import msgspec

from ...common.files import atomic_write, write_error
from ...models import redactor
from ...targets.recorded.readers.base import Unread

SKIPPED_ROWS = "left_out.jsonl"
"""Name of the file in the run's directory that lists the skipped rows of responses."""
SKIPPED_ITEMS = "dataset_left_out.jsonl"
"""Name of the file in the run's directory that lists the skipped items of the set."""
_NO_WORDS = ("target", "unread")
"""Fields of a line by which it is counted, in which nothing is redacted."""


@dataclass(frozen=True, slots=True)
class UsedInput:
    """Numbers of items and rows that a run uses of its files.

    Attributes:
        items: Items of the set, 0 where they were not counted.
        rows: Rows of the files of responses, by target.
    """

    items: int = 0
    rows: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class SkippedInput:
    """Numbers of rows and items that were skipped for a target when files were read.

    Attributes:
        rows: Skipped rows of its file of responses; an unreadable line counts as one.
        lines: Those of the rows that are unreadable lines.
        cut: Whether the file was not read to its end, so the number of further rows is
            unknown.
        rows_used: UsedInput rows of the file, 0 where that is not known.
        items: Skipped items of the set.
        items_used: UsedInput items of the set, 0 where that is not known.
    """

    rows: int = 0
    lines: int = 0
    cut: bool = False
    rows_used: int = 0
    items: int = 0
    items_used: int = 0

    def cases(self, planned: int) -> int:
        """Return the number of cases that they would have become.

        If a run uses only a part of its files, they count in proportion. A row and an item
        may be the same question, so the larger number counts.

        Args:
            planned: Planned cases of the target.
        """
        rows = self.rows
        if planned < self.rows_used:
            rows = _up(self.rows * planned, self.rows_used)
        items = _up(self.items * planned, self.items_used) if self.items_used else self.items
        return max(rows, items)


def _up(number: int, divisor: int) -> int:
    return -(-number // divisor)


class _Row(msgspec.Struct):
    """The parts of a line of `left_out.jsonl` by which it is counted."""

    target: str
    unread: Unread = Unread.NOTHING


_decode = msgspec.json.Decoder(_Row).decode


def write_skipped(path: Path, lines: Iterable[Mapping[str, str]]) -> None:
    """Write skipped rows or items as JSON Lines, with keys redacted; no file if there are none.

    Args:
        path: One of the two files.
        lines: Fields of each line; `target` and `unread` are not redacted.

    Raises:
        RecordError: It cannot be written.
    """
    left = iter(lines)
    first = next(left, None)
    try:
        if first is None:
            path.unlink(missing_ok=True)
            return
        with atomic_write(path, private=True) as file:
            for line in chain([first], left):
                hidden = {name: redactor.redact(line[name]) for name in line}
                kept = {name: line[name] for name in line if name in _NO_WORDS}
                file.write(msgspec.json.encode({**hidden, **kept}) + b"\n")
    except OSError as error:
        raise write_error(path, error) from None


def kept_rows(path: Path, of: Container[str]) -> Iterator[dict[str, str]]:
    """Yield the skipped rows that a list has of some targets; none without a list."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            with suppress(msgspec.MsgspecError, RecursionError, ValueError):
                row = msgspec.json.decode(line, type=dict[str, str])
                if row.get("target", "") in of:
                    yield row


class SkippedLists:
    """Reads the two lists in a run's directory, once each: what is counted is what is hashed.

    Args:
        directory: The run's directory.

    Attributes:
        hashes: SHA-256 of each, in hexadecimal; empty where there is none.
    """

    def __init__(self, directory: Path) -> None:
        self._rows = defaultdict[str, int](int)
        self._unread = defaultdict[str, int](int)
        self._cut = set[str]()
        self._items = 0
        self.hashes = (
            _read(directory / SKIPPED_ROWS, self._take_row),
            _read(directory / SKIPPED_ITEMS, self._take_item),
        )

    def _take_row(self, line: bytes) -> None:
        # One that was cut off when the disk was full says nothing.
        with suppress(msgspec.MsgspecError, RecursionError, ValueError):
            row = _decode(line)
            self._rows[row.target] += row.unread is not Unread.REST
            self._unread[row.target] += row.unread is Unread.LINE
            self._cut |= {row.target} if row.unread is Unread.REST else set()

    def _take_item(self, line: bytes) -> None:
        self._items += 1

    def by_target(self, targets: list[str], used: UsedInput) -> dict[str, SkippedInput]:
        """Return what was skipped by target; no entry where nothing was.

        Args:
            targets: All targets of the run.
            used: Numbers of items and rows used.
        """
        found = {
            target: SkippedInput(
                self._rows[target],
                self._unread[target],
                target in self._cut,
                used.rows.get(target, 0),
                self._items,
                used.items,
            )
            for target in dict.fromkeys([*targets, *list(self._rows)])
        }
        return {name: each for name, each in found.items() if each.rows or each.items or each.cut}


def _read(path: Path, take: Callable[[bytes], None]) -> str:
    """Pass each line of a file to a function, and return the file's hash."""
    hashed = hashlib.sha256()
    try:
        with path.open("rb") as file:
            for line in file:
                hashed.update(line)
                take(line)
    except OSError:
        return ""
    return hashed.hexdigest()
