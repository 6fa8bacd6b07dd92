"""What `safejury run`, `report` and `show` do, once they are asked for."""

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rich.console import Console

from ..datasets import ConfigurationError
from ..deliberation import (
    check_export_path,
    export_transcript,
    harmless_line,
    render_case,
)
from ..models import EMBEDDED_WARNING
from ._config import load_config
from ._console import EXIT_INFRASTRUCTURE, EXIT_INTERRUPTED, arguments_of, run_async, say
from ._datasets import DATASET_LEFT_OUT, dataset_label
from ._progress import RunProgress
from ._recorded_files import LEFT_OUT, UnreadFiles, unread_files
from ._report import report_csv, report_json, report_markdown
from ._report_table import report_table
from ._report_words import estimated, many, unseen_media
from ._run import RunOutcome
from ._run import run as run_setup
from ._setup import Setup, set_up
from ._stored import StoredRun

_LONGEST_ERROR = 300
"""Characters of an error that a report quotes."""


def run_config(
    path: Path, changes: Sequence[str], *, min_coverage: float, retry_failed: bool
) -> int:
    """Run a config, then show its report."""
    setup = set_up(load_config(path, changes), path.parent)
    again = f"safejury run {arguments_of(path, changes)}"
    return run_and_report(setup, again=again, min_coverage=min_coverage, retry_failed=retry_failed)


def run_and_report(
    setup: Setup,
    *,
    again: str,
    min_coverage: float = 0.9,
    retry_failed: bool = False,
    kept: bool = True,
) -> int:
    """Run, show the report, and return the exit code.

    Args:
        setup: What to run.
        again: The command that goes on with the run.
        min_coverage: Least share of cases, in [0, 1], that need a verdict.
        retry_failed: Hear cases again that failed calls cost.
        kept: Whether the run's directory outlives the command.
    """
    if setup.uses_embedded:
        say(f"Note: {EMBEDDED_WARNING}")
    for note in setup.selection.dataset.notes:
        say(harmless_line(f"Note: {dataset_label(setup.config.dataset)}: {note}."))
    for note in setup.notes():
        say(f"Note: {note}")
    try:
        bar = not setup.bench.has_person
        with RunProgress(Console(stderr=True), bar=bar) as progress:
            outcome = run_async(run_setup(setup, progress, retry_failed=retry_failed))
    except KeyboardInterrupt:
        kept_in = f" What is finished is kept in {setup.directory}." if kept else ""
        say(f"Interrupted.{kept_in}")
        say(f"Go on with: {again}" if kept else f"Start again with: {again}")
        return EXIT_INTERRUPTED
    _show_table(setup.directory, min_coverage)
    if kept:
        cases = many(outcome.cases, "case")
        say(f"{cases} in {setup.directory}; finished in {outcome.seconds:.1f} s.")
        say(f"Read one: safejury show {setup.directory} CASE")
    return _judge(outcome, unread_files(setup.recorded), min_coverage)


def _judge(outcome: RunOutcome, unread: UnreadFiles, min_coverage: float) -> int:
    if unread.cut and min_coverage > 0:
        say(
            harmless_line(f"{', '.join(unread.cut)}: not read to the end, so that nobody knows ")
            + " how many responses the figures lack. Mend the file, then repeat."
        )
        return EXIT_INFRASTRUCTURE
    # Lines that are not read may hold responses, which then have no verdict either.
    needed = outcome.cases - outcome.given_up + unread.lines
    coverage = outcome.verdicts / max(1, needed)
    # Where all attacks gave up there is nothing to judge, and nothing is missing.
    if coverage >= min_coverage or (outcome.given_up and not needed):
        return 0
    if unread.lines:
        say(f"{many(unread.lines, 'line')} of responses could not be read, and count as cases.")
    say(
        f"Coverage is {coverage:.0%}, less than the {min_coverage:.0%} asked for: "
        "too many cases have no verdict to trust the figures. Mend the cause shown above, "
        "then repeat with --retry-failed."
    )
    return EXIT_INFRASTRUCTURE


def report_run(directory: Path, form: str, *, min_coverage: float) -> int:
    """Write a stored run's report to standard output."""
    if form == "table":
        _show_table(directory, min_coverage)
        return 0
    with closing(StoredRun(directory)) as stored:
        summary, parity = stored.summary(), stored.parity()
        notes = _notes(stored)
        if form == "json":
            notes += unseen_media(summary)
            info = {**stored.info, "notes": notes, "parity": parity}
            sys.stdout.write(report_json(info, summary))
        elif form == "csv":
            sys.stdout.write(report_csv(summary, parity))
        else:
            facts = {key: stored.info[key] for key in ("name", "protocol", "cases_finished")}
            sys.stdout.write(
                report_markdown(
                    facts,
                    summary,
                    notes=notes,
                    parity=parity,
                    unread=stored.unread,
                    min_coverage=min_coverage,
                )
            )
    return 0


def _show_table(directory: Path, min_coverage: float) -> None:
    with closing(StoredRun(directory)) as stored:
        console = Console()
        report_table(
            stored.summary(),
            console,
            notes=_notes(stored),
            parity=stored.parity(),
            unread=stored.unread,
            min_coverage=min_coverage,
        )


def _notes(stored: StoredRun) -> list[str]:
    notes = [EMBEDDED_WARNING] if stored.uses_embedded else []
    if (charged := stored.estimated_elsewhere) is not None:
        notes.append(f"For cases that are not finished, {estimated(charged)}.")
    if rows := stored.left_out:
        said = "1 recorded response was" if rows == 1 else f"{rows:,} recorded responses were"
        notes.append(f"{said} left out of all figures: {stored.directory / LEFT_OUT} lists why.")
    if items := stored.dataset_left_out:
        said = "1 item of the set was" if items == 1 else f"{items:,} items of the set were"
        where = stored.directory / DATASET_LEFT_OUT
        notes.append(f"{said} left out and not asked: {where} says why.")
    notes += (
        harmless_line(f"{target}: responses failed; one of the errors is: {said[:_LONGEST_ERROR]}")
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
                sys.stdout.write(f"{harmless_line(known)}\n")
            return 0
        case, embedded = stored.case(case_id), stored.uses_embedded
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
        )
        say(f"Wrote {export}.")
    return 0
