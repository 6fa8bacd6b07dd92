"""Writes the report of a stored run in every format, with the notes on the run."""

from rich.console import Console

from ...common import escape_line
from ...models import EMBEDDED_WARNING
from ...targets import WITHHELD
from ..metrics import DEFAULT_THRESHOLDS, RunSummary, Thresholds, describe_skipped, first_warnings
from ..plan import unbound_note
from ..trials import SKIPPED_ITEMS, SKIPPED_ROWS
from ._health import health_warnings
from ._report import report_csv, report_json, report_markdown
from ._stored import StoredRun
from ._table import report_table
from ._words import describe_estimated, describe_unchained, unseen_media_warnings

_LONGEST_ERROR = 300
"""Characters of an error that a report quotes."""


def write_table(
    stored: StoredRun,
    summary: RunSummary,
    console: Console,
    *,
    wanted: Thresholds = DEFAULT_THRESHOLDS,
) -> None:
    """Print a run's report to a console.

    Args:
        stored: The run.
        summary: Its figures.
        console: Where to write.
        wanted: Thresholds below which there is a warning.
    """
    report_table(
        summary,
        console,
        notes=notes_on(stored),
        comparability=stored.comparability(),
        wanted=wanted,
        facts=stored.facts,
        talk=stored.talk(summary),
    )


def written_report(
    stored: StoredRun,
    summary: RunSummary,
    form: str,
    *,
    wanted: Thresholds = DEFAULT_THRESHOLDS,
) -> str:
    """Write a run's report as JSON, CSV or Markdown.

    Args:
        stored: The run.
        summary: Its figures.
        form: `json`, `csv` or `md`.
        wanted: Thresholds below which there is a warning.
    """
    comparability, facts, notes = stored.comparability(), stored.facts, notes_on(stored)
    talk = stored.talk(summary)
    if form == "csv":
        return report_csv(summary, comparability, notes=notes, facts=facts, talk=talk)
    info = stored.info
    if form == "md":
        keys = ("name", "protocol", "cases_finished", "cases_planned")
        return report_markdown(
            {key: info[key] for key in keys},
            summary,
            notes=notes,
            comparability=comparability,
            wanted=wanted,
            facts=facts,
            talk=talk,
        )
    return report_json({**info, **said_of(stored, summary, wanted)}, summary, talk)


def said_of(
    stored: StoredRun, summary: RunSummary, wanted: Thresholds, *, errors: bool = True
) -> dict[str, object]:
    """Return all that a reader must know beside the figures: notes, warnings, comparability.

    Args:
        stored: The run.
        summary: Its figures.
        wanted: Thresholds below which there is a warning.
        errors: Whether errors are quoted, which may quote what was asked.
    """
    notes = [
        *first_warnings(summary),
        *notes_on(stored, errors=errors),
        *unseen_media_warnings(summary),
    ]
    return {
        "notes": notes,
        "warnings": health_warnings(summary, wanted=wanted, facts=stored.facts),
        "comparability": stored.comparability(),
    }


def notes_on(stored: StoredRun, *, errors: bool = True) -> list[str]:
    """Return the notes that come before the figures, a sentence each.

    Args:
        stored: The run.
        errors: Whether errors of targets are quoted, which may quote what was asked.
    """
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
    history = (stored.growth, stored.shared, stored.pruned)
    notes += filter(None, [describe_unchained(stored.integrity), *history])
    if (charged := stored.estimated_elsewhere) is not None:
        notes.append(f"For unfinished cases, {describe_estimated(charged)}.")
    if stored.unbound:
        notes.append(escape_line(unbound_note(stored.unbound)))
    notes += (f"{escape_line(note)}." for note in stored.notes_on_files)
    if rows := sum(each.rows for each in stored.left_out.values()):
        used = sum(each.rows_used for each in stored.left_out.values())
        said = describe_skipped(rows, used, "recorded response")
        notes.append(
            f"{said} skipped and in no figure: {stored.directory / SKIPPED_ROWS} says why."
        )
    if items := max((each.items for each in stored.left_out.values()), default=0):
        used = max(each.items_used for each in stored.left_out.values())
        said = describe_skipped(items, used, "item of the set", "items of the set")
        where = stored.directory / SKIPPED_ITEMS
        notes.append(f"{said} skipped and not asked: {where} says why.")
    whole = stored.meta.shared is None
    notes += (
        escape_line(f"{target}: responses failed; one of the errors is: {said[:_LONGEST_ERROR]}")
        + ("; show CASE --reveal has its words" if whole and WITHHELD in said else "")
        for target, said in (stored.failures() if errors else {}).items()
    )
    notes += map(escape_line, stored.notes_on_correction)
    return notes
