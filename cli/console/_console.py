"""Lines to the person at the terminal: results, notices and errors."""

import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ...common import ConfigurationError
from ...common.text import quoted
from ._log import log_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status


def arguments_of(config: Path, changes: Sequence[str]) -> str:
    """Return the arguments for another command on the same config."""
    return shlex.join([str(config), *(part for change in changes for part in ("--set", change))])


def named_values(option: str, given: Sequence[str], example: str) -> dict[str, str]:
    """Parse the values of a repeatable option of the form `NAME=VALUE`.

    Args:
        option: How it is written, such as `--map`.
        given: What was given.
        example: Of what can be given, for the message.

    Raises:
        ConfigurationError: One of them is written otherwise, or names what is named before.
    """
    values: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name or not value:
            raise ConfigurationError(f"{option} {quoted(each)}: write it as {example}")
        if name in values:
            raise ConfigurationError(f"{option} {quoted(each)}: {quoted(name)} is given twice")
        values[name] = value
    return values


def say_error(message: str) -> None:
    """Write an error to standard error in one line, redacted and without control characters."""
    # Only errors need these imports.
    from ...common import escape_line
    from ...models import redactor

    line = escape_line(redactor.redact(" ".join(message.split())))
    log_line(f"error: {line}")
    sys.stderr.write(f"{_fitted(f'safejury: error: {line}', sys.stderr)}\n")


def say(message: str) -> None:
    """Write a notice to standard error, redacted."""
    from ...models import redactor

    line = redactor.redact(message)
    log_line(line)
    # Somebody may copy a command: it stays in one piece.
    sys.stderr.write(f"{line if ': safejury ' in line else _fitted(line, sys.stderr)}\n")


def _fitted(line: str, stream: TextIO) -> str:
    return wrapped(line, shutil.get_terminal_size().columns) if stream.isatty() else line


def wrapped(line: str, width: int) -> str:
    """Return a line broken between words at `width` columns, with what follows indented."""
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def write_line(message: str) -> None:
    """Write one line of a result to standard output, without control characters."""
    from ...common import escape_line

    sys.stdout.write(f"{_fitted(escape_line(message), sys.stdout)}\n")
    sys.stdout.flush()


def busy(message: str, console: "Console | None" = None) -> "Status":
    """Return a spinner with a message, for a terminal; use it as a context manager."""
    from rich.console import Console
    from rich.text import Text

    from ...common import escape_line

    return (console or Console(stderr=True)).status(Text(escape_line(message)))


def checking_record() -> "Status":
    """Return a spinner while a record is checked, which takes a while for a large one.

    Nothing may be written to standard output meanwhile.
    """
    return busy("Checking the record …")


def escape_unencodable() -> None:
    """Escape characters that the encoding of standard output lacks, rather than fail."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:  # as it is of every stream of a terminal, a file or a pipe
        reconfigure(errors="backslashreplace")


def quiet_libraries(environment: Mapping[str, str] = os.environ) -> None:
    """Keep libraries from writing onto the terminal, unless SAFEJURY_DEBUG is set."""
    import logging

    if not environment.get("SAFEJURY_DEBUG"):
        logging.getLogger().addHandler(logging.NullHandler())
        for name in ("autogen_core", "autogen_core.events", "asyncio", "LiteLLM"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
