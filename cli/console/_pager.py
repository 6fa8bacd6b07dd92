"""Shows what is longer than the screen in a pager, as git does."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_LESS = "FRX"
"""Options of `less`: end at once where all fits on the screen, keep colors and the screen."""


@contextmanager
def paged() -> "Generator[Console]":
    """Yield a console for standard output; on a terminal it writes to the user's pager.

    That is `PAGER`, or else `less`; `PAGER=cat`, or an empty one, is none.
    """
    from rich.console import Console

    plain = Console()
    command = _pager(os.environ) if sys.stdout.isatty() else []
    if not command:
        yield plain
        return
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        env={"LESS": _LESS, **os.environ},
        encoding=plain.encoding,
        errors="backslashreplace",
    )
    try:
        yield Console(
            file=process.stdin,
            force_terminal=True,
            width=plain.width,
            no_color=plain.no_color,
            color_system=plain.color_system,  # type: ignore[arg-type]
        )
    finally:
        _close(process)


def _pager(environment: Mapping[str, str]) -> list[str]:
    """Return the command of a pager, empty for none."""
    command = shlex.split(environment.get("PAGER", "less"))
    return command if command and command != ["cat"] and shutil.which(command[0]) else []


def _close(process: "subprocess.Popen[str]") -> None:
    """Wait until the reader has left the pager; Ctrl-C is the pager's own business."""
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.close()
    while process.poll() is None:
        with suppress(KeyboardInterrupt):
            process.wait()
