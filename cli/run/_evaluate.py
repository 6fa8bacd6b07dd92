"""Runs a plan, with progress, and shows its report."""

import sys
from dataclasses import dataclass

from rich.console import Console

from ...common import ConfigurationError
from ...common.text import many
from ...evaluation import RunOutcome, RunPlan
from ...evaluation.engine import run_plan
from ...evaluation.metrics import DEFAULT_THRESHOLDS, Thresholds
from ...evaluation.plan import plan_notes
from ...evaluation.runner import asking_over
from ..console import (
    EXIT_INTERRUPTED,
    RunProgress,
    exit_code,
    log,
    log_to,
    logs_to_screen,
    run_async,
    same_command,
    say,
)


@dataclass(frozen=True, slots=True)
class Watching:
    """How deliberations are shown while a run goes on.

    Attributes:
        reveal: Whether questions and responses are shown.
    """

    reveal: bool = False

    @classmethod
    def of(cls, *, watch: bool, reveal: bool) -> "Watching | None":
        """Return what the options say, None where nothing is watched.

        Raises:
            ConfigurationError: Something is to be revealed that is not shown.
        """
        if reveal and not watch:
            raise ConfigurationError("--reveal shows the texts that --watch withholds: add --watch")
        return cls(reveal) if watch else None


def run_and_report(
    plan: RunPlan,
    *,
    wanted: Thresholds = DEFAULT_THRESHOLDS,
    retry_failed: bool = False,
    kept: bool = True,
    watching: Watching | None = None,
) -> int:
    """Run, show the report, and return the exit code.

    Args:
        plan: What to run.
        wanted: Minimum coverage and ballots.
        retry_failed: Retry cases that lost a response or a ballot.
        kept: Whether the run's directory outlives the command.
        watching: How deliberations are shown while the run goes on, None for the progress alone.
    """
    if kept:
        log_to(plan.directory, same_command())
        _log_plan(plan)
    for note in plan_notes(plan):
        say(f"Note: {note}")
    again = same_command()
    try:
        outcome = _shown(plan, retry_failed=retry_failed, watching=watching)
    except KeyboardInterrupt:
        kept_in = f" Finished cases are kept in {plan.directory}." if kept else ""
        say(f"Interrupted.{kept_in}")
        say(f"Resume with: {again}" if kept else f"Start over with: {again}")
        return EXIT_INTERRUPTED
    from ..results import show_table  # a second of a run that has begun to ask, not before

    log.info(
        "%d of %d cases done, %d with a verdict", outcome.cases, outcome.planned, outcome.verdicts
    )
    reasons = show_table(plan.directory, wanted, again=again)
    if kept:
        cases = many(outcome.cases, "case")
        say(f"{cases} in {plan.directory}; finished in {outcome.seconds:.1f} s.")
        say(f"List the cases: safejury cases {plan.directory}")
        say(f"Show a case: safejury show {plan.directory} CASE")
    if outcome.stopped is not None:
        left = outcome.planned - outcome.cases
        said = f"{many(left, 'case')} of {outcome.planned:,} not started"
        if outcome.unaudited:
            said = f"{many(outcome.unaudited, 'case')} of the talk audit not heard"
        elif not left:
            said = "Not all failed cases were retried"
        say(f"Stopped by the budget: {outcome.stopped}.")
        say(f"{said}. Resume with: {again}")
    return exit_code(reasons)


def _shown(plan: RunPlan, *, retry_failed: bool, watching: Watching | None) -> RunOutcome:
    """Run a plan and show how it goes."""
    if watching is not None and (why := _why_not()):
        say(f"Note: --watch is not shown: {why}")
        watching = None
    if watching is None:
        with RunProgress(Console(stderr=True), bar=not plan.jury.has_person) as progress:
            ask = asking_over(progress)
            return run_async(run_plan(plan, progress, retry_failed=retry_failed, ask=ask))
    from ..watch import Watched, WatchView

    jury = plan.jury
    run = Watched(plan.directory.name, jury.infos, jury.protocol_label, reveal=watching.reveal)
    with WatchView(run) as view:
        going = run_plan(plan, view, retry_failed=retry_failed, ask=view.ask, watcher=view)
        return run_async(going)


def _why_not() -> str | None:
    """Return why a run cannot be watched, None where it can."""
    if sys.platform == "win32":
        return "it needs a terminal of Linux or macOS"
    if logs_to_screen():
        return "-v writes to the terminal"
    from ..watch import why_no_screen

    return why_no_screen()


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
