"""Runs a checked setup, with progress, and shows its report."""

from rich.console import Console

from ...common import escape_line
from ...common.text import many
from ...evaluation import Setup
from ...evaluation import run as run_setup
from ...evaluation.metrics import USUAL, Thresholds
from ...evaluation.plan import dataset_label
from ...evaluation.runner import asking_over
from ...models import EMBEDDED_WARNING
from ..console import (
    EXIT_INTERRUPTED,
    RunProgress,
    exit_code,
    log,
    log_to,
    run_async,
    same_command,
    say,
)
from ..study import show_table


def run_and_report(
    setup: Setup,
    *,
    wanted: Thresholds = USUAL,
    retry_failed: bool = False,
    kept: bool = True,
) -> int:
    """Run, show the report, and return the exit code.

    Args:
        setup: What to run.
        wanted: Minimum coverage and ballots.
        retry_failed: Retry cases that lost a response or a ballot.
        kept: Whether the run's directory outlives the command.
    """
    if kept:
        log_to(setup.directory, same_command())
        _log_setup(setup)
    if setup.uses_embedded:
        say(f"Note: {EMBEDDED_WARNING}")
    for note in setup.selection.dataset.notes:
        say(escape_line(f"Note: {dataset_label(setup.config.dataset)}: {note}."))
    for note in setup.notes():
        say(f"Note: {note}")
    again = same_command()
    try:
        bar = not setup.jury.has_person
        with RunProgress(Console(stderr=True), bar=bar) as progress:
            going = run_setup(setup, progress, retry_failed=retry_failed, ask=asking_over(progress))
            outcome = run_async(going)
    except KeyboardInterrupt:
        kept_in = f" Finished cases are kept in {setup.directory}." if kept else ""
        say(f"Interrupted.{kept_in}")
        say(f"Resume with: {again}" if kept else f"Start over with: {again}")
        return EXIT_INTERRUPTED
    log.info(
        "%d of %d cases done, %d with a verdict", outcome.cases, outcome.planned, outcome.verdicts
    )
    reasons = show_table(setup.directory, wanted, again=again)
    if kept:
        cases = many(outcome.cases, "case")
        say(f"{cases} in {setup.directory}; finished in {outcome.seconds:.1f} s.")
        say(f"Read one: safejury show {setup.directory} CASE")
    if outcome.stopped is not None:
        left = outcome.planned - outcome.cases
        said = f"{many(left, 'case')} of {outcome.planned:,} not started"
        if not left:
            said = "Not all failed cases were retried"
        say(f"Stopped by the budget: {outcome.stopped}.")
        say(f"{said}. Resume with: {again}")
    return exit_code(reasons)


def _log_setup(setup: Setup) -> None:
    """Log what is run; all of it is in `run.yaml` beside the log."""
    config = setup.config
    log.info(
        "config: dataset %s, %d queries, %d cases; targets %s; %d jurors, protocol %s; limits %s",
        dataset_label(config.dataset),
        len(setup.selection),
        setup.total,
        ", ".join(target.name for target in config.targets),
        len(setup.jury.seats),
        setup.jury.protocol.name,
        config.limits.model_dump_json(exclude_defaults=True),
    )
