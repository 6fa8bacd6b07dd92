"""What of a run's files was left out, as its directory has it."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import msgspec

from ...common.files import replacing, unwritable
from ...models import redactor
from ...targets.recorded.readers.base import Unread

ROWS_LEFT_OUT = "left_out.jsonl"
"""Name of the file in the run's directory that lists the rows that are not judged."""
ITEMS_LEFT_OUT = "dataset_left_out.jsonl"
"""Name of the file in the run's directory that lists the items of the set that are not asked."""
_NO_WORDS = ("target", "unread")
"""Members of a line by which it is counted, in which nothing is hidden."""


@dataclass(frozen=True, slots=True)
class Used:
    """What of a run's files is used.

    Attributes:
        items: Items of the set, 0 where nobody counted them.
        rows: Rows of the files of responses, by target.
    """

    items: int = 0
    rows: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a target lacks because it was left out when files were read.

    Attributes:
        rows: Rows of its file of responses; a line that was not read counts as one.
        lines: Those of the rows that were not read.
        cut: Whether the file was not read to its end, so that nobody knows how many
            more there are.
        rows_used: Rows of that file that are used, 0 where that is not known.
        items: Items of the set.
        items_used: Items of the set that are used, 0 where that is not known.
    """

    rows: int = 0
    lines: int = 0
    cut: bool = False
    rows_used: int = 0
    items: int = 0
    items_used: int = 0

    def cases(self, planned: int) -> int:
        """Return how many cases they would have made.

        Where a run takes part of its files only, so do these count in part. A row and an
        item may be the same question: the larger number counts.

        Args:
            planned: Cases that the target is to have.
        """
        rows = self.rows
        if planned < self.rows_used:
            rows = _up(self.rows * planned, self.rows_used)
        items = _up(self.items * planned, self.items_used) if self.items_used else self.items
        return max(rows, items)


def _up(number: int, divisor: int) -> int:
    return -(-number // divisor)


class _Row(msgspec.Struct):
    """The part of a line of `left_out.jsonl` that says whose it was, and what was not read."""

    target: str
    unread: Unread = Unread.NOTHING


_decode = msgspec.json.Decoder(_Row).decode


def write_list(path: Path, lines: Iterable[Mapping[str, str]]) -> None:
    """Write what was left out, an object a line, without keys; no file if there is none.

    Args:
        path: One of the two files.
        lines: What each says; `target` and `unread` are kept as they are.

    Raises:
        RecordError: It cannot be written.
    """
    left = iter(lines)
    first = next(left, None)
    try:
        if first is None:
            path.unlink(missing_ok=True)
            return
        with replacing(path, private=True) as file:
            for line in chain([first], left):
                hidden = {name: redactor.redact(line[name]) for name in line}
                kept = {name: line[name] for name in line if name in _NO_WORDS}
                file.write(msgspec.json.encode({**hidden, **kept}) + b"\n")
    except OSError as error:
        raise unwritable(path, error) from None


class LeftOutLists:
    """The lists in a run's directory, each read once: what is counted is what is hashed.

    Args:
        directory: The run's.

    Attributes:
        hashes: SHA-256 of each, in hexadecimal; empty where there is none.
    """

    def __init__(self, directory: Path) -> None:
        self._rows = defaultdict[str, int](int)
        self._unread = defaultdict[str, int](int)
        self._cut = set[str]()
        self._items = 0
        self.hashes = (
            _read(directory / ROWS_LEFT_OUT, self._take_row),
            _read(directory / ITEMS_LEFT_OUT, self._take_item),
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

    def by_target(self, targets: list[str], used: Used) -> dict[str, LeftOut]:
        """Return by target what was left out; no entry for one that lacks nothing.

        Args:
            targets: All targets of the run.
            used: What is used of the files.
        """
        found = {
            target: LeftOut(
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
    """Take a file line by line, and return its hash."""
    hashed = hashlib.sha256()
    try:
        with path.open("rb") as file:
            for line in file:
                hashed.update(line)
                take(line)
    except OSError:
        return ""
    return hashed.hexdigest()
