"""Runs a plan, with progress, and shows its report."""

from rich.console import Console

from ...common.text import many
from ...evaluation import RunPlan
from ...evaluation import run as start_run
from ...evaluation.metrics import DEFAULT_THRESHOLDS, Thresholds
from ...evaluation.plan import plan_notes
from ...evaluation.runner import asking_over
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
    plan: RunPlan,
    *,
    wanted: Thresholds = DEFAULT_THRESHOLDS,
    retry_failed: bool = False,
    kept: bool = True,
) -> int:
    """Run, show the report, and return the exit code.

    Args:
        plan: What to run.
        wanted: Minimum coverage and ballots.
        retry_failed: Retry cases that lost a response or a ballot.
        kept: Whether the run's directory outlives the command.
    """
    if kept:
        log_to(plan.directory, same_command())
        _log_plan(plan)
    for note in plan_notes(plan):
        say(f"Note: {note}")
    again = same_command()
    try:
        bar = not plan.jury.has_person
        with RunProgress(Console(stderr=True), bar=bar) as progress:
            going = start_run(plan, progress, retry_failed=retry_failed, ask=asking_over(progress))
            outcome = run_async(going)
    except KeyboardInterrupt:
        kept_in = f" Finished cases are kept in {plan.directory}." if kept else ""
        say(f"Interrupted.{kept_in}")
        say(f"Resume with: {again}" if kept else f"Start over with: {again}")
        return EXIT_INTERRUPTED
    log.info(
        "%d of %d cases done, %d with a verdict", outcome.cases, outcome.planned, outcome.verdicts
    )
    reasons = show_table(plan.directory, wanted, again=again)
    if kept:
        cases = many(outcome.cases, "case")
        say(f"{cases} in {plan.directory}; finished in {outcome.seconds:.1f} s.")
        say(f"Show a case: safejury show {plan.directory} CASE")
    if outcome.stopped is not None:
        left = outcome.planned - outcome.cases
        said = f"{many(left, 'case')} of {outcome.planned:,} not started"
        if not left:
            said = "Not all failed cases were retried"
        say(f"Stopped by the budget: {outcome.stopped}.")
        say(f"{said}. Resume with: {again}")
    return exit_code(reasons)


def _log_plan(plan: RunPlan) -> None:
    """Log what is run; all of it is in `run.yaml` beside the log."""
    log.info(
        "config: dataset %s, %d queries, %d cases; targets %s; %d jurors, protocol %s; limits %s",
        plan.dataset,
        len(plan.selection),
        plan.total,
        ", ".join(plan.target_names),
        len(plan.jury.seats),
        plan.jury.protocol.name,
        plan.limits.model_dump_json(exclude_defaults=True),
    )
