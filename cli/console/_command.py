"""How a command runs: its loop, its signals, its errors and its exit code."""

import functools
import gc
import inspect
import os
import signal
import stat
import sys
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import typer

from ...common import SafejuryError
from ._console import say, say_error
from ._log import log, log_unexpected, logged

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
P = ParamSpec("P")

EXIT_USAGE = 2
EXIT_INFRASTRUCTURE = 3
EXIT_UNEXPECTED = 70
"""An error of ours: 1 would look like the answer of a command that compares."""
EXIT_INTERRUPTED = 130
EXIT_CODES = (
    "Exit codes: 0 done, 1 a policy failed (safejury gate alone), 2 usage, configuration or a "
    "damaged record, 3 infrastructure (too few verdicts or ballots, an endpoint that stayed down) "
    "or a changed record, 70 unexpected error, 130 interrupted, 143 terminated before a run began."
)
_VERBOSE = "verbose"
_LONGEST_UNEXPECTED = 300
_SELDOM = (50_000, 5, 10)
"""When garbage is searched for: calls leave none that the search must find, errors a little."""
_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What ends a command in order, apart from Ctrl-C: SIGHUP comes when a terminal is closed."""


def run_async(work: Coroutine[Any, Any, T], *, tells_signals: bool = False) -> T:
    """Run a coroutine to its end, on uvloop where it is installed.

    Ctrl-C, SIGTERM and SIGHUP cancel it; it cleans up, then KeyboardInterrupt is raised.

    Args:
        work: What to run.
        tells_signals: Whether the exit code tells the other two from Ctrl-C, as it does of a
            command that cannot be gone on with.
    """
    import asyncio  # not for `--help`

    gc.freeze()  # what is imported stays: searching it for garbage would stall calls
    often = gc.get_threshold()
    gc.set_threshold(*_SELDOM)
    outside = {number: signal.getsignal(number) for number in _ENDING}
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_until_terminated(work, tells_signals=tells_signals))
    finally:
        for number, handler in outside.items():
            _handle(number, handler)  # a loop that closes leaves the system's default
        gc.set_threshold(*often)


async def _until_terminated(work: Coroutine[Any, Any, T], *, tells_signals: bool) -> T:
    import asyncio

    task = asyncio.ensure_future(work)
    ended_by: list[int] = []

    def end(number: int) -> None:
        _leave_terminal(number)
        ended_by.append(number)
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
        if tells_signals and ended_by:
            raise _Terminated(ended_by[0]) from None
        raise KeyboardInterrupt from None


def _loop_factory() -> "Callable[[], asyncio.AbstractEventLoop] | None":
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


def guarded(command: Callable[P, int | None]) -> Callable[..., None]:
    """Turn a command's errors into one line each, and its result into the exit code.

    It takes `-v` beside its own options.
    """
    from ._options import Verbose  # all options: not for `--help`

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        verbose = bool(kwargs.pop(_VERBOSE, False))
        with logged(verbose=verbose):
            code = _exit_code_of(functools.partial(command, *args, **kwargs)) or 0
            log.info("exit code %d", code)
        if code == EXIT_INTERRUPTED:
            # Whoever is impatient while the last threads end is not shown where they are.
            with suppress(ValueError):  # not off the main thread
                signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise typer.Exit(code)

    signature = inspect.signature(command, eval_str=True)
    verbose = inspect.Parameter(
        _VERBOSE, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Verbose
    )
    parameters = [*signature.parameters.values(), verbose]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _exit_code_of(command: Callable[[], int | None]) -> int | None:
    """Return how a command ends; its errors are said."""
    try:
        with _ending_orderly():
            code = command()
            sys.stdout.flush()  # so that a pipe that broke shows here
            return code
    except SafejuryError as error:
        say_error(str(error))
        return error.exit_code
    except _Terminated as ended:
        say("Terminated.")
        return ended.exit_code
    except KeyboardInterrupt:
        say("Interrupted.")
        return EXIT_INTERRUPTED
    except (BrokenPipeError, SystemExit) as error:
        if not _is_broken_pipe(error):
            return say_unexpected(error)
        # Whoever read our output has gone.
        _drop_output()
        return 0
    except OSError as error:
        _drop_output()
        say_error(f"cannot write or read ({error}): free some space or fix the path")
        return EXIT_USAGE
    except Exception as error:  # noqa: BLE001
        return say_unexpected(error)


def _is_broken_pipe(error: BaseException) -> bool:
    """Whether it is one, or what rich makes of one."""
    return any(isinstance(each, BrokenPipeError) for each in (error, error.__context__))


def say_unexpected(error: BaseException) -> int:
    """Say an error that is ours, and where its traceback is; return the exit code."""
    where = log_unexpected(error)
    said = f"{type(error).__name__}: {error}"[:_LONGEST_UNEXPECTED].rstrip()
    say_error(f"unexpected {said}; this is a bug in safejury: {where}")
    return EXIT_UNEXPECTED


def exit_code(reasons: Sequence[str]) -> int:
    """Say why figures fall short of what was asked for, and return the exit code."""
    for reason in reasons:
        say(reason)
    return EXIT_INFRASTRUCTURE if reasons else 0


def _drop_output() -> None:
    """Send what is left of the output nowhere, or Python would complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
