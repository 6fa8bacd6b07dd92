"""Runs a plan: asks every target, judges every case, and records everything."""

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

from ...agents import Ask, CaseCount
from ...assembly.models import ManagedServers
from ...deliberation import Jury
from ..plan import (
    BudgetPlan,
    RunPlan,
    open_transcripts,
    unbound_note,
)
from ..record import RecordReader
from ._budgeted import BudgetedExaminer
from ._examiner import Examiner
from ._opening import begin_run, open_run_models, open_targets
from ._session import CaseWatcher, Observer, Session
from ._staging import Stage
from ._talk_audit import TalkAuditor, audit_is_due
from ._traced import open_tracing


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """The outcome of a run.

    Attributes:
        cases: Finished cases, earlier ones included.
        verdicts: Cases with a verdict.
        seconds: Wall time of this process.
        planned: Planned cases, and finished ones that the config asks no more.
        given_up: Cases in which an attack found nothing to ask, so they need no verdict.
        stopped: Why the budget left cases unfinished or lost calls without a retry; None
            where it did not.
        unaudited: Cases of the talk audit that the budget left out.
    """

    cases: int
    verdicts: int
    seconds: float
    planned: int
    given_up: int = 0
    stopped: str | None = None
    unaudited: int = 0

    @property
    def coverage(self) -> float:
        """Fraction of planned cases needing a verdict that have one; 0 without such cases."""
        needed = self.planned - self.given_up
        return self.verdicts / needed if needed else 0.0


async def run(
    plan: RunPlan,
    observer: Observer | None = None,
    *,
    retry_failed: bool = False,
    ask: Ask | None = None,
    watcher: CaseWatcher | None = None,
) -> RunOutcome:
    """Run a plan, or resume it: finish all cases that the record does not have yet.

    Canceling it is safe at any moment; the same call resumes the run.

    Args:
        plan: What to run.
        observer: Called with the progress.
        retry_failed: Retry cases that lost a response or a ballot; see
            `Record.retry_failed`.
        ask: Asks the person on the jury, None for the plain terminal.
        watcher: Told of each case and its deliberation; may hold cases back.

    Raises:
        ConfigurationError: The cost limit does not apply to a model, a model never
            answered, a server failed for good, or the record cannot be used.
    """
    started = time.monotonic()
    budget_plan = await BudgetPlan.of(plan)
    tell, unbound = _ignore if observer is None else observer.notify, budget_plan.unbound
    if unbound:
        tell(f"Note: {unbound_note(unbound)}")
    async with AsyncExitStack() as stack:
        tracing = await stack.enter_async_context(open_tracing(plan, watcher, tell))
        opening = begin_run(plan, unbound=unbound, retry_failed=retry_failed, tell=tell)
        record = await stack.enter_async_context(opening)
        total = plan.total + record.unasked
        is_due = audit_is_due(plan, retry_failed=retry_failed)
        needed = record.count_finished() < total or is_due
        servers = ManagedServers(
            plan.servers, plan.directory, tell, record.keep_uptime, needed=needed, tells_plan=True
        )
        opening_models = open_run_models(plan, record, servers, traced=tracing.model)
        models = await stack.enter_async_context(opening_models)
        registry = models.registry
        limits = plan.limits
        await record.share(models.budget, limits.max_tokens_total, limits.max_cost_usd)
        jury = await stack.enter_async_context(
            Jury.seated(
                plan.jury,
                registry,
                ask=ask,
                cases=CaseCount(total, record.count_finished()),
                media=plan.media,
                clerk=record.write_entry,
                # Notices are published only where somebody watches.
                spectator=None if tracing.watcher is None else tracing.watcher.heard,
            )
        )
        transcripts = await stack.enter_async_context(
            open_transcripts(plan.whisper, plan.directory)
        )
        targets = open_targets(plan, registry)
        examiner = Examiner(
            targets,
            jury,
            Stage(record, plan),
            transcripts,
            plan.taxonomy,
            judge_truncated=plan.judges_truncated,
        )
        budgeted = BudgetedExaminer(examiner, models.budget, budget_plan.estimator)
        session = Session(plan, record, budgeted, models.fleet, observer, tracing.watcher)
        await session.work(registry)
        auditor = TalkAuditor(
            plan, record, jury, models.budget, observer, retry_failed=retry_failed
        )
        unaudited = await auditor.work(registry)
    seconds, stopped = time.monotonic() - started, models.budget.stopped
    return outcome_of(plan, total, seconds, stopped, unaudited, retry_failed=retry_failed)


def outcome_of(
    plan: RunPlan,
    total: int,
    seconds: float,
    stopped: str | None,
    unaudited: int,
    *,
    retry_failed: bool,
) -> RunOutcome:
    """Return the outcome of a run whose record is written.

    Args:
        plan: The run.
        total: Its cases, those included that the config asks no more.
        seconds: How long it took.
        stopped: Why the budget covered no more, None where it did.
        unaudited: See `RunOutcome`.
        retry_failed: See `run`.
    """
    cases, verdicts, given_up = _count(plan)
    # Otherwise the cases themselves say what was lost.
    is_cut_short = cases < total or retry_failed or unaudited > 0
    said = stopped if is_cut_short else None
    return RunOutcome(cases, verdicts, seconds, total, given_up, said, unaudited)


def _ignore(message: str) -> None:
    """Ignore a message for which there is no observer."""


def _count(plan: RunPlan) -> tuple[int, int, int]:
    reader = RecordReader(plan.directory)
    try:
        return *reader.counts(), reader.count_given_up()
    finally:
        reader.close()
