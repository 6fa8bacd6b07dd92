"""The log of a command: `run.log` in a run's directory, and standard error with `-v`."""

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...common import escape_controls, escape_line

LOG = "run.log"
"""File within a run's directory."""

log = logging.getLogger("safejury")
log.addHandler(logging.NullHandler())  # else what is logged as an error is also shown as one
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_ON_SCREEN = "on_screen"
"""Marks what a person was shown already, so that `-v` does not show it again."""


class _Formatter(logging.Formatter):
    """Writes an entry in one line, and nothing that a terminal would obey."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return escape_line(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        return escape_controls(super().format(record))


class _RunLog(logging.Handler):
    """Appends to the log of a run once the run has a directory, for its owner's eyes alone.

    A log that cannot be written is left out: no run fails for it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.path = folder / LOG
        self._early: list[str] = []

    @property
    def is_kept(self) -> bool:
        """Whether it is written to the disk."""
        return not self._early

    def emit(self, record: logging.LogRecord) -> None:
        self._early.append(self.format(record))
        if self.path.parent.is_dir():
            with suppress(OSError):
                self._write("".join(f"{line}\n" for line in self._early))
                self._early.clear()

    def _write(self, text: str) -> None:
        from ...common.files import make_private  # not for `--help`

        make_private(self.path)
        with self.path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)


class _Screen(logging.Handler):
    """Shows on standard error what a person was not told otherwise."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not hasattr(record, _ON_SCREEN) and bool(super().filter(record))

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{self.format(record)}\n")


def log_line(line: str) -> None:
    """Log a line that is shown to the person as well."""
    log.info(line, extra={_ON_SCREEN: True})


@contextmanager
def logged(*, verbose: bool) -> Generator[None]:
    """Take down all logs that the command opens, when it ends; show them if `verbose`."""
    if verbose:
        _add(_Screen())
    try:
        yield
    finally:
        for handler in _ours():
            log.removeHandler(handler)
        log.setLevel(logging.NOTSET)


def log_to(folder: Path, command: str) -> None:
    """Log from now on to the run in a folder, until the command ends.

    Args:
        folder: The run's directory, which need not be there yet.
        command: The command line, for the first entry.
    """
    import platform

    from ... import __version__

    _add(_RunLog(folder))
    python, system = platform.python_version(), platform.system()
    log.info("safejury %s on Python %s, %s: %s", __version__, python, system, command)


def logs_to_screen() -> bool:
    """Whether `-v` shows the log on standard error."""
    return any(isinstance(each, _Screen) for each in _ours())


def log_unexpected(error: BaseException) -> str:
    """Log an error with its traceback, and return where to read it."""
    log.error("unexpected error", exc_info=error)
    kept = [each.path for each in _ours() if isinstance(each, _RunLog) and each.is_kept]
    if kept:
        return f"the traceback is in {kept[0]}"
    return "the traceback is above" if logs_to_screen() else "add -v to see the traceback"


def _ours() -> list[logging.Handler]:
    return [each for each in log.handlers if isinstance(each, _RunLog | _Screen)]


def _add(handler: logging.Handler) -> None:
    from ...models import RedactingFilter, redactor  # not for `--help`

    handler.setFormatter(_Formatter(_FORMAT))
    handler.addFilter(RedactingFilter(redactor))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
