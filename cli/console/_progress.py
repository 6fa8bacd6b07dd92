"""Progress of a run on the screen, and in its log."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from ...evaluation import CaseResult
from ...evaluation.runner import WorkerCounts
from ...models import ModelRegistry, Wait, redactor
from ._console import wrapped
from ._log import log, log_line

_LINE_S = 5.0
_WAIT_LINE_S = 15.0
_WORTH_A_LINE_S = 1.0


def cost_so_far(registry: ModelRegistry | None) -> str:
    """Return in words what calls cost until now, nothing where none can be made yet."""
    if registry is None:
        return ""
    budget = registry.budget
    cost = f"${budget.spent_usd:.2f}"
    if not budget.unknown_price_calls:
        return cost
    return f"{cost} and unknown prices" if budget.spent_usd else "cost unknown"


class WaitLines:
    """Chooses which waits get a line in the log or the output: not each all the time."""

    def __init__(self) -> None:
        self._next = 0.0

    def due(self, waits: Sequence[Wait]) -> Sequence[Wait]:
        """Return those of which a line is due now."""
        lasting = [x for x in waits if (x.given_up_in or x.seconds or 0) >= _WORTH_A_LINE_S]
        if not lasting or time.monotonic() < self._next:
            return ()
        self._next = time.monotonic() + _WAIT_LINE_S
        return lasting


class WaitingBar(Progress):
    """A bar with lines below it: of the workers, and of each endpoint that is waited for."""

    waits: Sequence[Wait] = ()
    workers = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.workers:
            yield Text(self.workers, no_wrap=True, overflow="ellipsis")
        for wait in self.waits:
            yield Text(str(wait), style="yellow", no_wrap=True, overflow="ellipsis")


class RunCounts:
    """Counts the cases of a run by outcome, with their rate, the cost and the time left.

    Args:
        clock: Monotonic clock in seconds.

    Attributes:
        total: Cases of the run.
        done: Finished cases, earlier ones included.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._outcomes: Counter[str] = Counter()
        self._registry: ModelRegistry | None = None
        self._begun = clock()
        self._held_at: float | None = None
        self.total = self.done = self._before = 0

    def started(self, total: int, finished: int, registry: ModelRegistry) -> None:
        """Take down how much there is to do; see `Observer`."""
        self.total, self.done, self._before = total, finished, finished
        self._registry = registry
        self._begun = self._clock()

    def case_finished(self, result: CaseResult) -> None:
        """Count a case; see `Observer`."""
        self.done += 1
        heard = result.response_outcome == "answered"
        outcome = result.finding or ("no verdict" if heard else result.response_outcome)
        self._outcomes[str(outcome)] += 1

    def hold(self, *, held: bool) -> None:
        """Let the clock stand still while cases are held back."""
        if held:
            self._held_at = self._clock()
        elif self._held_at is not None:
            self._begun += self._clock() - self._held_at
            self._held_at = None

    @property
    def _rate(self) -> float:
        now = self._clock() if self._held_at is None else self._held_at
        return (self.done - self._before) / max(now - self._begun, 1e-9)

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest takes at the rate so far, None before the first case."""
        return (self.total - self.done) / self._rate if self._rate else None

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in self._outcomes.most_common())
        return " · ".join(
            filter(
                None, (counts, f"{self._rate:.1f}/s", cost_so_far(self._registry), self._slowed())
            )
        )

    def _slowed(self) -> str:
        places = self._registry.places if self._registry else ()
        slowed = [f"{x.name} at {x.limiter.limit}" for x in places if x.limiter.is_slowed]
        return redactor.redact(f"slowed: {', '.join(slowed)}") if slowed else ""


class RunProgress:
    """A run's progress on a console: a bar on a terminal, else a line now and then.

    Shows counts by outcome, cases a second, the cost so far, the time left, and what
    calls wait for. Use it as a context manager.

    Args:
        console: Where to show it, such as standard error.
        bar: Whether a bar may be drawn; not while somebody types at the terminal.
    """

    def __init__(self, console: Console, *, bar: bool = True) -> None:
        self._console = console
        self._draws = bar and console.is_terminal
        self._counts = RunCounts()
        self._next_line = 0.0
        self._wait_lines = WaitLines()
        self._bar = WaitingBar(
            TextColumn("[bold]cases"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[counts]}", markup=False),
            console=console,
            refresh_per_second=4,
            disable=not self._draws,
            transient=True,
        )
        self._asked, self._held = 0, list[str]()
        self._task = self._bar.add_task("cases", counts="", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    @contextmanager
    def paused(self) -> Generator[None]:
        """Hold lines back while somebody types at the terminal; they follow afterwards."""
        self._asked += 1
        try:
            yield
        finally:
            self._asked -= 1
            held, self._held = self._held, []
            for message in held:
                self._print(message)

    def started(self, total: int, finished: int, registry: ModelRegistry) -> None:
        """Show how much there is to do; see `Observer`."""
        self._counts.started(total, finished, registry)
        self._next_line = time.monotonic() + _LINE_S
        self._bar.update(self._task, total=total, completed=finished)
        if finished:
            self.notify(f"resuming: {finished} of {total} cases done")

    def case_finished(self, result: CaseResult) -> None:
        """Count a case; see `Observer`."""
        counts = self._counts
        counts.case_finished(result)
        if self._draws:
            self._bar.update(self._task, completed=counts.done, counts=str(counts))
        elif time.monotonic() >= self._next_line and not self._asked:
            self._next_line = time.monotonic() + _LINE_S
            self._console.print(f"{counts.done} of {counts.total} cases: {counts}", markup=False)

    def waiting(self, waits: Sequence[Wait]) -> None:
        """Show what calls wait for, with a countdown; see `Observer`."""
        self._bar.waits = waits
        for wait in self._wait_lines.due(waits):
            line = f"{self._counts.done} of {self._counts.total} cases; {wait}"
            if self._draws or self._asked:  # the bar has it; what is held back would be stale
                log.info(line)
            else:
                self.notify(line)

    def workers(self, counts: WorkerCounts) -> None:
        """Show what each worker has under way; see `Observer`."""
        self._bar.workers = str(counts)

    def notify(self, message: str) -> None:
        """Show a line above the bar; see `Observer`."""
        log_line(message)
        if self._asked:
            self._held.append(message)
            return
        self._print(message)

    def _print(self, message: str) -> None:
        console = self._console
        line = wrapped(message, console.width) if console.is_terminal else message
        console.print(line, markup=False, highlight=False, soft_wrap=True)
