"""What `safejury run`, `report` and `show` do, once they are asked for."""

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rich.console import Console

from ...assembly import load_config
from ...common import ConfigurationError, escape_line
from ...common.files import make_private
from ...common.text import many
from ...deliberation import check_export_path, export_transcript, render_case
from ...evaluation import Setup, report_csv, report_json, report_markdown, report_table, set_up
from ...evaluation import run as run_setup
from ...evaluation.metrics import USUAL, Thresholds, first_warnings, left_out_words, shortfalls
from ...evaluation.plan import dataset_label, unbound_note
from ...evaluation.record import CheckedCase
from ...evaluation.report import (
    StoredRun,
    estimated,
    health_warnings,
    unchained_words,
    unseen_media,
)
from ...evaluation.runner import asking_over
from ...evaluation.trials import ITEMS_LEFT_OUT, ROWS_LEFT_OUT
from ...models import EMBEDDED_WARNING
from ..console import (
    EXIT_INFRASTRUCTURE,
    EXIT_INTERRUPTED,
    RunProgress,
    arguments_of,
    run_async,
    say,
)

_LONGEST_ERROR = 300
"""Characters of an error that a report quotes."""


def run_config(
    path: Path, changes: Sequence[str], *, wanted: Thresholds, retry_failed: bool
) -> int:
    """Run a config, then show its report."""
    setup = set_up(load_config(path, changes), path.parent)
    again = f"safejury run {arguments_of(path, changes)}"
    return run_and_report(setup, again=again, wanted=wanted, retry_failed=retry_failed)


def run_and_report(
    setup: Setup,
    *,
    again: str,
    wanted: Thresholds = USUAL,
    retry_failed: bool = False,
    kept: bool = True,
) -> int:
    """Run, show the report, and return the exit code.

    Args:
        setup: What to run.
        again: The command that goes on with the run.
        wanted: What the figures must rest on.
        retry_failed: Hear cases again that lost a response or a ballot.
        kept: Whether the run's directory outlives the command.
    """
    if setup.uses_embedded:
        say(f"Note: {EMBEDDED_WARNING}")
    for note in setup.selection.dataset.notes:
        say(escape_line(f"Note: {dataset_label(setup.config.dataset)}: {note}."))
    for note in setup.notes():
        say(f"Note: {note}")
    try:
        bar = not setup.jury.has_person
        with RunProgress(Console(stderr=True), bar=bar) as progress:
            going = run_setup(setup, progress, retry_failed=retry_failed, ask=asking_over(progress))
            outcome = run_async(going)
    except KeyboardInterrupt:
        kept_in = f" What is finished is kept in {setup.directory}." if kept else ""
        say(f"Interrupted.{kept_in}")
        say(f"Go on with: {again}" if kept else f"Start again with: {again}")
        return EXIT_INTERRUPTED
    reasons = _show_table(setup.directory, wanted, again=again)
    if kept:
        cases = many(outcome.cases, "case")
        say(f"{cases} in {setup.directory}; finished in {outcome.seconds:.1f} s.")
        say(f"Read one: safejury show {setup.directory} CASE")
    if outcome.stopped is not None:
        left = outcome.planned - outcome.cases
        said = f"{many(left, 'case')} of {outcome.planned:,} were not begun"
        if not left:
            said = "Not all that was lost before was asked for again"
        say(f"Stopped by the budget: {outcome.stopped}.")
        say(f"{said}. Go on with: {again}{' --retry-failed' if retry_failed else ''}")
    return _exit_code(reasons)


def _exit_code(reasons: Sequence[str]) -> int:
    """Say why figures do not have what was asked of them, and return the exit code."""
    for reason in reasons:
        say(reason)
    return EXIT_INFRASTRUCTURE if reasons else 0


def report_run(directory: Path, form: str, *, wanted: Thresholds, by: str | None = None) -> int:
    """Write a stored run's report to standard output, and return the exit code.

    Args:
        directory: The run's directory.
        form: How the report is written.
        wanted: What the figures must rest on.
        by: What to break them down by as well; see `summarise`.
    """
    if form == "table":
        return _exit_code(_show_table(directory, wanted, by=by))
    with closing(StoredRun(directory)) as stored:
        summary, comparability, facts = stored.summary(by), stored.comparability(), stored.facts
        notes = _notes(stored)
        if form == "json":
            notes = [*first_warnings(summary), *notes, *unseen_media(summary)]
            warnings = health_warnings(summary, wanted=wanted, facts=facts)
            info = {
                **stored.info,
                "notes": notes,
                "warnings": warnings,
                "comparability": comparability,
            }
            sys.stdout.write(report_json(info, summary))
        elif form == "csv":
            sys.stdout.write(report_csv(summary, comparability, notes=notes, facts=facts))
        else:
            info = stored.info
            keys = ("name", "protocol", "cases_finished", "cases_planned")
            sys.stdout.write(
                report_markdown(
                    {key: info[key] for key in keys},
                    summary,
                    notes=notes,
                    comparability=comparability,
                    wanted=wanted,
                    facts=facts,
                )
            )
    return _exit_code(shortfalls(summary, wanted, facts))


def _show_table(
    directory: Path, wanted: Thresholds, *, again: str | None = None, by: str | None = None
) -> tuple[str, ...]:
    """Show a run's report, and return why it lacks what is asked of it."""
    with closing(StoredRun(directory)) as stored:
        summary, facts = stored.summary(by), stored.facts
        report_table(
            summary,
            Console(),
            notes=_notes(stored),
            comparability=stored.comparability(),
            wanted=wanted,
            facts=facts,
        )
    return shortfalls(summary, wanted, facts, again=again)


def _notes(stored: StoredRun) -> list[str]:
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


def show_case(directory: Path, case_id: str | None, *, reveal: bool, export: Path | None) -> int:
    """Replay one case of a stored run, or list all."""
    if export is not None:
        check_export_path(export)
        if case_id is None:
            raise ConfigurationError(
                f"--export writes the transcript of one case: name it, as in safejury show "
                f"{directory} CASE --export {export}; without --export the cases are listed"
            )
    with closing(StoredRun(directory)) as stored:
        if case_id is None:
            for known in stored.case_ids():
                sys.stdout.write(f"{escape_line(known)}\n")
            return 0
        case, embedded = stored.case(case_id), stored.uses_embedded
        checked = stored.check_case(case.case_id)
    if checked.why is not None:
        say(escape_line(f"Warning: {_record_line(checked)}"))
    Console().print(
        render_case(
            case.entries, case.jury, target=case.target, protocol=case.protocol, reveal=reveal
        )
    )
    if not reveal:
        say("The question and the response are withheld: add --reveal to read them.")
    if embedded:
        say(f"Note: {EMBEDDED_WARNING}")
    if export is not None:
        export_transcript(
            case.entries,
            case.jury,
            export,
            target=case.target,
            protocol=case.protocol,
            reveal=reveal,
            record=_record_line(checked),
        )
        if directory.resolve() in export.resolve().parents:
            make_private(export)  # as all that is kept in a run's directory
        say(f"Wrote {export}.")
    return 0 if checked.why is None else EXIT_INFRASTRUCTURE


def _record_line(checked: CheckedCase) -> str:
    """Return what a reader of a case must know of its record."""
    if checked.why is not None:
        return f"this case was changed after it was recorded: {checked.why}"
    unchained = " (recorded by a version that kept no chain)" if checked.unchained else ""
    return f"SHA-256 of the record {checked.head}{unchained}"
