"""What all commands share: the loop, the console, and errors as one line."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from ..datasets import SafejuryError

T = TypeVar("T")

EXIT_INFRASTRUCTURE = 3
EXIT_INTERRUPTED = 130


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on uvloop where it is installed.

    Ctrl-C and SIGTERM cancel it; it cleans up, then KeyboardInterrupt is raised.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_until_terminated(work))


async def _until_terminated(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    with suppress(NotImplementedError, RuntimeError):  # not on Windows, not off the main thread
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
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


def fail(error: SafejuryError) -> int:
    """Show an error as one line on standard error and return its exit code."""
    say_error(str(error))
    return error.exit_code


def say_error(message: str) -> None:
    """Write one line to standard error, without secrets and control characters."""
    # Only errors need these imports.
    from ..deliberation import harmless_line
    from ..models import redactor

    line = harmless_line(redactor.redact(" ".join(message.split())))
    sys.stderr.write(f"safejury: error: {line}\n")


def say(message: str) -> None:
    """Write one line to standard error: a notice that is no result."""
    sys.stderr.write(f"{message}\n")


def quiet_libraries(environment: Mapping[str, str] = os.environ) -> None:
    """Keep libraries from writing onto the terminal, unless SAFEJURY_DEBUG is set."""
    import logging

    if not environment.get("SAFEJURY_DEBUG"):
        logging.getLogger().addHandler(logging.NullHandler())
        for name in ("autogen_core", "autogen_core.events", "asyncio", "LiteLLM"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
