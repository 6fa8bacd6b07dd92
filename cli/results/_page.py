"""The report of runs as a page: a folder that opens from disk."""

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ...common.text import many
from ...evaluation.metrics import Thresholds, shortfalls
from ...evaluation.page import PageOptions, PageSource, write_page
from ...evaluation.report import Correction
from ..console import checking_record, say

_LINE_S = 5.0


def save_page(
    runs: Sequence[Path],
    folder: Path,
    wanted: Thresholds,
    *,
    by: str | None = None,
    correction: Correction | None = None,
    texts: bool = True,
) -> tuple[str, ...]:
    """Write the page of some runs, and return why they lack what is asked of them."""
    options = PageOptions(texts, by, correction, wanted)
    with closing(PageSource(runs, options)) as source:
        with checking_record():
            _ = source.summaries
        with _Progress(Console(stderr=True)) as progress:
            written = write_page(source, folder, progress.show)
        lacking = [
            reason
            for run, summary in zip(source.runs, source.summaries, strict=True)
            for reason in shortfalls(summary, wanted, run.facts)
        ]
    said = [many(written.cases, "case")]
    said += [many(written.media, "picture or sound", "pictures and sounds")] * bool(written.media)
    if written.gone:
        lost = many(written.gone, "picture or sound is", "pictures and sounds are")
        said.append(f"{lost} gone or changed, and not in it")
    say(f"Wrote {written.index}: {', '.join(said)}. Open it in a browser.")
    if texts:
        say(
            "It holds all questions and responses, hidden until somebody reveals them; "
            "--without-texts leaves them out."
        )
    return tuple(lacking)


class _Progress:
    """Shows how far the cases are written: a bar on a terminal, else a line now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next_line = time.monotonic() + _LINE_S
        self._bar = Progress(
            TextColumn("[bold]cases"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            refresh_per_second=4,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("cases", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, done: int, of: int) -> None:
        """Show how many cases are written."""
        self._bar.update(self._task, completed=done, total=of)
        if not self._console.is_terminal and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _LINE_S
            self._console.print(f"{done:,} of {of:,} cases written", markup=False)
