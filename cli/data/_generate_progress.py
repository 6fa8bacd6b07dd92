"""Progress of making a set, on the screen."""

import time
from collections.abc import Sequence
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

from ...models import ModelRegistry, Wait
from ..console import WaitingBar, WaitLines, cost_so_far

_LINE_S = 5.0


class GenerateProgress:
    """Shows the stages on a console: a bar on a terminal, else a line now and then.

    Use it as a context manager.

    Args:
        console: Where to show it, such as standard error.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._registry: ModelRegistry | None = None
        self._name, self._done, self._total = "", 0, None
        self._note = ""
        self._next_line = 0.0
        self._wait_lines = WaitLines()
        self._bar = WaitingBar(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[steps]}", markup=False),
            TimeRemainingColumn(),
            TextColumn("{task.fields[said]}", markup=False),
            console=console,
            refresh_per_second=4,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("", steps="", said="", total=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def watch(self, registry: ModelRegistry) -> None:
        """Show what its calls cost."""
        self._registry = registry

    def stage(self, name: str, total: int | None) -> None:
        """Show that a stage begins; see `Progress` of the generation."""
        self._name, self._done, self._total, self._note = name, 0, total, ""
        self._next_line = time.monotonic() + _LINE_S
        self._bar.start()  # not before: what is shown of the cost would tear it
        self._bar.reset(self._task, description=name, steps=self._steps(), said="")
        self._bar.tasks[0].total = total
        if not self._console.is_terminal:
            self.notify(f"{name} …")

    def step(self, done: int = 1, note: str = "") -> None:
        """Show that steps are done."""
        self._done += done
        self._note = note or self._note
        if self._console.is_terminal:
            if self._is_finishing:
                # Without a total the bar moves on its own, and no time is left to be told.
                self._bar.tasks[0].total = None
            self._bar.update(
                self._task, completed=self._done, steps=self._steps(), said=self._status()
            )
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _LINE_S
            total = "" if self._total is None else f" of {self._total}"
            self.notify(f"{self._name}: {self._done}{total} {self._status()}")

    def waiting(self, waits: Sequence[Wait]) -> None:
        """Show what calls wait for, with a countdown."""
        self._bar.waits = waits
        if not self._console.is_terminal:  # the bar has them
            for wait in self._wait_lines.due(waits):
                self.notify(f"{self._name}: {wait}")

    def notify(self, message: str) -> None:
        """Show a line above the bar."""
        self._console.print(message, markup=False, highlight=False, soft_wrap=True)

    @property
    def _is_finishing(self) -> bool:
        """Whether all planned steps are done and only shortfalls are made up for."""
        return self._total is not None and self._done >= self._total

    def _steps(self) -> str:
        return str(self._done) if self._total is None else f"{self._done}/{self._total}"

    def _status(self) -> str:
        finishing = "finishing" if self._is_finishing else ""
        return " · ".join(filter(None, (finishing, self._note, cost_so_far(self._registry))))
