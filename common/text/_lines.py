"""Reads files line by line, with line numbers and bounded memory."""

import codecs
from collections.abc import Iterator
from pathlib import Path

MAX_LINE_BYTES = 4 * 1024 * 1024
"""Longest line of a query file; a longer one means that the file is something else."""


def numbered_lines(path: Path, longest: int) -> Iterator[tuple[int, bytes | None]]:
    """Yield the lines of a file with their numbers from 1; blank lines are included.

    A byte order mark is left out.

    Args:
        path: The file.
        longest: Most bytes of a line with its end; None stands for a longer one.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(longest + 1):
            number += 1
            if number == 1:
                raw = raw.removeprefix(codecs.BOM_UTF8)
            if len(raw) <= longest:
                yield number, raw
                continue
            yield number, None
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(longest)
