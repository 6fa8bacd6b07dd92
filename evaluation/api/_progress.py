"""Progress of a run that Python began: at a terminal, in a notebook, or line by line."""

import html
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from rich.console import Console
from rich.text import Text

from ...common import escape_line
from ...common.text import dollars
from ...models import ModelRegistry, Wait, redactor
from ..plan import RunPlan, plan_notes
from ..runner import Observer, WorkerCounts
from ..trials import CaseResult

_LINE_S = 5.0
"""Seconds between two lines where nothing can be drawn over."""
_DRAWN_S = 0.25


@contextmanager
def shown(plan: RunPlan, progress: bool | None) -> Generator[Observer | None]:
    """Show the progress of a run while the block lasts.

    Args:
        plan: The run.
        progress: Whether it is shown; None shows it where somebody looks.
    """
    console = Console(stderr=True)
    looks = console.is_jupyter or console.is_terminal
    if progress is False or (progress is None and not looks) or plan.jury.has_person:
        yield None
    elif console.is_jupyter:
        yield _in_notebook(plan)
    elif console.is_terminal:
        with console.status("") as status:
            line = _Line(lambda text: status.update(Text(text)), _DRAWN_S, _printer(console))
            yield line.begun(plan)
    else:
        say = _Line(_printer(console), _LINE_S, _printer(console))
        yield say.begun(plan)


def _printer(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(Text(text), soft_wrap=True)


def _in_notebook(plan: RunPlan) -> Observer:
    """Return what writes its line anew in its place below the cell, without widgets."""
    display: Any = import_module("IPython.display")
    handle = display.display(display.HTML(""), display_id=True)
    notes = list[str]()

    def draw(text: str) -> None:
        lines = (f"<div>{html.escape(line)}</div>" for line in (*notes, text))
        handle.update(display.HTML("".join(lines)))

    return _Line(draw, _DRAWN_S, notes.append).begun(plan)


class _Line:
    """A line that says how far a run is; see `Observer`.

    Args:
        draw: Shows the line in place of the one before.
        seconds: Least time between two lines.
        say: Shows a line that stays.
    """

    def __init__(
        self, draw: Callable[[str], None], seconds: float, say: Callable[[str], None]
    ) -> None:
        self._draw, self._seconds, self._say = draw, seconds, say
        self._counts = Counter[str]()
        self._registry: ModelRegistry | None = None
        self._waits: Sequence[Wait] = ()
        self._workers = ""
        self._total = self._done = 0
        self._next = 0.0

    def begun(self, plan: RunPlan) -> Observer:
        """Say what a user should know before the run begins, and return it."""
        for note in plan_notes(plan):
            self.notify(f"Note: {note}")
        return self

    def started(self, total: int, finished: int, registry: ModelRegistry) -> None:
        """Show how much there is to do."""
        self._total, self._done, self._registry = total, finished, registry
        if finished:
            self.notify(f"resuming: {finished:,} of {total:,} cases done")
        self._show(at_once=True)

    def case_finished(self, result: CaseResult) -> None:
        """Count a case."""
        self._done += 1
        judged = result.response_outcome == "answered"
        self._counts[
            str(result.finding or ("no verdict" if judged else result.response_outcome))
        ] += 1
        self._show(at_once=self._done == self._total)

    def waiting(self, waits: Sequence[Wait]) -> None:
        """Show what calls wait for."""
        if waits or self._waits:
            self._waits = waits
            self._show()

    def workers(self, counts: WorkerCounts) -> None:
        """Show what each worker has under way."""
        self._workers = str(counts)
        self._show()

    def notify(self, message: str) -> None:
        """Show a line that stays."""
        self._say(redactor.redact(escape_line(message)))

    def _show(self, *, at_once: bool = False) -> None:
        if not at_once and time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._seconds
        counts = ", ".join(f"{count:,} {name}" for name, count in self._counts.most_common())
        done = f"{self._done:,} of {self._total:,} cases"
        said = (done, counts, self._cost(), self._workers, *map(str, self._waits))
        self._draw(" · ".join(filter(None, said)))

    def _cost(self) -> str:
        spent = 0.0 if self._registry is None else self._registry.budget.spent_usd
        return dollars(spent) if spent else ""
