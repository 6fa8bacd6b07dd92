"""What all commands share: the loop, the console, and errors as one line."""

import asyncio
import functools
import gc
import os
import shlex
import shutil
import signal
import stat
import sys
import textwrap
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, ParamSpec, TextIO, TypeVar

import typer

from ...common import ConfigurationError, SafejuryError
from ...common.text import quoted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

T = TypeVar("T")
P = ParamSpec("P")

EXIT_USAGE = 2
EXIT_INFRASTRUCTURE = 3
EXIT_INTERRUPTED = 130
_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What ends a command in order, apart from Ctrl-C: SIGHUP comes when a terminal is closed."""


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on uvloop where it is installed.

    Ctrl-C, SIGTERM and SIGHUP cancel it; it cleans up, then KeyboardInterrupt is raised.
    """
    gc.freeze()  # what is imported stays: searching it for garbage would stall calls
    outside = {number: signal.getsignal(number) for number in _ENDING}
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_until_terminated(work))
    finally:
        for number, handler in outside.items():
            _handle(number, handler)  # a loop that closes leaves the system's default


async def _until_terminated(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)

    def end(number: int) -> None:
        _leave_terminal(number)
        task.cancel()

    for number in _ENDING:
        if signal.getsignal(number) is signal.SIG_IGN:  # as nohup has it
            continue
        with suppress(NotImplementedError, RuntimeError):  # not on Windows, not off the main thread
            asyncio.get_running_loop().add_signal_handler(number, end, number)
    try:
        return await task
    except asyncio.CancelledError:
        if asyncio.current_task().cancelling():  # type: ignore[union-attr]
            raise  # Ctrl-C: the runner turns it into KeyboardInterrupt
        raise KeyboardInterrupt from None


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


class _Terminated(KeyboardInterrupt):
    """A signal that ends the command came while no loop was there to be cancelled."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


def _raise_terminated(number: int, frame: FrameType | None) -> None:
    _leave_terminal(number)
    raise _Terminated(number)


def _handle(number: int, handler: Any) -> None:
    with suppress(ValueError, TypeError):  # off the main thread; not one of Python's
        signal.signal(number, handler)


@contextmanager
def _ending_orderly() -> Generator[None]:
    """Let signals end the block like Ctrl-C, so that temporary files go, not leave them."""
    # Else somebody else sees to it, or it is to be ignored.
    ours = [number for number in _ENDING if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        _handle(number, _raise_terminated)
    try:
        yield
    finally:
        for number in ours:
            _handle(number, signal.SIG_DFL)


def _leave_terminal(number: int) -> None:
    """Write nothing more to a terminal that was closed: that would fail."""
    if number == signal.SIGTERM:
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            if stat.S_ISCHR(os.fstat(stream.fileno()).st_mode):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def guarded(command: Callable[P, int | None]) -> Callable[P, None]:
    """Turn a command's errors into one line each, and its result into the exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with _ending_orderly():
                code = command(*args, **kwargs)
                sys.stdout.flush()  # so that a pipe that broke shows here
        except SafejuryError as error:
            say_error(str(error))
            code = error.exit_code
        except _Terminated as ended:
            say("Terminated.")
            code = ended.exit_code
        except KeyboardInterrupt:
            say("Interrupted.")
            code = EXIT_INTERRUPTED
        except (BrokenPipeError, SystemExit):  # rich makes the second of the first
            # Whoever read our output has gone.
            _drop_output()
            code = 0
        except OSError as error:
            _drop_output()
            say_error(f"cannot write or read ({error}): free some space or mend the path")
            code = EXIT_USAGE
        if code == EXIT_INTERRUPTED:
            # Whoever is impatient while the last threads end is not shown where they are.
            with suppress(ValueError):  # not off the main thread
                signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise typer.Exit(code or 0)

    return run


def _drop_output() -> None:
    """Send what is left of the output nowhere, or Python would complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def arguments_of(config: Path, changes: Sequence[str]) -> str:
    """Return what further commands on the same config are called with."""
    return shlex.join([str(config), *(part for change in changes for part in ("--set", change))])


def named_values(option: str, given: Sequence[str], example: str) -> dict[str, str]:
    """Return what a repeatable option of `NAME=VALUE` says.

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
    """Write one line to standard error, without secrets and control characters."""
    # Only errors need these imports.
    from ...common import escape_line
    from ...models import redactor

    line = escape_line(redactor.redact(" ".join(message.split())))
    sys.stderr.write(f"{_fitted(f'safejury: error: {line}', sys.stderr)}\n")


def say(message: str) -> None:
    """Write one line to standard error, without secrets: a notice that is no result."""
    from ...models import redactor

    line = redactor.redact(message)
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
    """Return a block that shows at a terminal what takes a while, as it stands: no markup."""
    from rich.console import Console
    from rich.text import Text

    from ...common import escape_line

    return (console or Console(stderr=True)).status(Text(escape_line(message)))


def escape_what_does_not_fit() -> None:
    """Have standard output show what its encoding cannot hold as escapes, not fail at it."""
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
