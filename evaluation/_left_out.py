"""What of a run's files was left out, as its directory has it."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ..targets.readers import Unread

ROWS_LEFT_OUT = "left_out.jsonl"
"""Name of the file in the run's directory that lists the rows that are not judged."""
ITEMS_LEFT_OUT = "dataset_left_out.jsonl"
"""Name of the file in the run's directory that lists the items of the set that are not asked."""


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


def read_left_out(directory: Path, targets: list[str], used: Used) -> dict[str, LeftOut]:
    """Return by target what was left out; no entry for one that lacks nothing.

    Args:
        directory: The run's.
        targets: All targets of the run.
        used: What is used of the files.
    """
    rows, lines, cut = defaultdict[str, int](int), defaultdict[str, int](int), set[str]()
    decode = msgspec.json.Decoder(_Row).decode
    with suppress(OSError), (directory / ROWS_LEFT_OUT).open("rb") as file:
        for line in file:
            with suppress(msgspec.DecodeError):  # a line that was cut off when the disk was full
                row = decode(line)
                rows[row.target] += row.unread is not Unread.REST
                lines[row.target] += row.unread is Unread.LINE
                cut |= {row.target} if row.unread is Unread.REST else set()
    items = count_lines(directory / ITEMS_LEFT_OUT)
    found = {
        target: LeftOut(
            rows[target],
            lines[target],
            target in cut,
            used.rows.get(target, 0),
            items,
            used.items,
        )
        for target in dict.fromkeys([*targets, *list(rows)])
    }
    return {name: each for name, each in found.items() if each.rows or each.items or each.cut}


def count_lines(path: Path) -> int:
    """Return the number of lines of a file, 0 where there is none."""
    try:
        with path.open("rb") as file:
            return sum(1 for _ in file)
    except OSError:
        return 0
