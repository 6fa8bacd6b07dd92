"""The report of a run as a table on the screen."""

from contextlib import closing
from pathlib import Path

from rich.console import Console

from ...common import escape_line
from ...evaluation import report_table
from ...evaluation.metrics import Thresholds, left_out_words, shortfalls
from ...evaluation.plan import unbound_note
from ...evaluation.report import StoredRun, estimated, unchained_words
from ...evaluation.trials import ITEMS_LEFT_OUT, ROWS_LEFT_OUT
from ...models import EMBEDDED_WARNING

_LONGEST_ERROR = 300
"""Characters of an error that a report quotes."""


def show_table(
    directory: Path, wanted: Thresholds, *, again: str | None = None, by: str | None = None
) -> tuple[str, ...]:
    """Show a run's report, and return why it lacks what is asked of it."""
    with closing(StoredRun(directory)) as stored:
        summary, facts = stored.summary(by), stored.facts
        report_table(
            summary,
            Console(),
            notes=notes_on(stored),
            comparability=stored.comparability(),
            wanted=wanted,
            facts=facts,
        )
    return shortfalls(summary, wanted, facts, again=again)


def notes_on(stored: StoredRun) -> list[str]:
    """Return what a reader must know before the figures, a line each."""
    notes = [EMBEDDED_WARNING] if stored.uses_embedded else []
    facts = stored.facts
    if facts.rubric is not None:
        name, sha256 = facts.rubric
        notes.append(
            escape_line(
                f"Judged by the rubric {name} ({sha256[:12]}), not by the bundled one: "
                "unsafe means that a response fails that rubric."
            )
        )
    notes += (
        escape_line(f"{target} has a system prompt ({sha256[:12]}).")
        for target, sha256 in facts.systems.items()
    )
    if facts.renamed:
        said = ", ".join(f"{target} is {model!r}" for target, model in facts.renamed.items())
        notes.append(escape_line(f"As the files of responses name the models: {said}."))
    notes += filter(None, [unchained_words(stored.integrity)])
    if (charged := stored.estimated_elsewhere) is not None:
        notes.append(f"For cases that are not finished, {estimated(charged)}.")
    if stored.unbound:
        notes.append(escape_line(unbound_note(stored.unbound)))
    notes += (f"{escape_line(note)}." for note in stored.notes_on_files)
    if rows := sum(each.rows for each in stored.left_out.values()):
        used = sum(each.rows_used for each in stored.left_out.values())
        said = left_out_words(rows, used, "recorded response")
        notes.append(
            f"{said} left out of all figures: {stored.directory / ROWS_LEFT_OUT} says why."
        )
    if items := max((each.items for each in stored.left_out.values()), default=0):
        used = max(each.items_used for each in stored.left_out.values())
        said = left_out_words(items, used, "item of the set", "items of the set")
        where = stored.directory / ITEMS_LEFT_OUT
        notes.append(f"{said} left out and not asked: {where} says why.")
    notes += (
        escape_line(f"{target}: responses failed; one of the errors is: {said[:_LONGEST_ERROR]}")
        for target, said in stored.failures().items()
    )
    return notes
