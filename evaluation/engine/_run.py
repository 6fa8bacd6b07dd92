"""Runs a plan with workers; the record is written here."""

import asyncio
import time
from contextlib import AsyncExitStack

from ...assembly.models import ManagedServers, OpenModels
from ...common import ConfigurationError, first_failure
from ...deliberation import Jury
from ..plan import BudgetPlan, RunPlan, unbound_note
from ..record import RunRecord
from ..runner import (
    CaseWatcher,
    Observer,
    RunOutcome,
    TalkAuditor,
    audit_is_due,
    begin_run,
    open_run_models,
    outcome_of,
)
from ._driver import Driver
from ._pool import Pool
from ._servers import RunServers
from ._travel import check_travels


async def run_with(
    plan: RunPlan,
    pool: Pool,
    observer: Observer | None = None,
    *,
    retry_failed: bool = False,
    watcher: CaseWatcher | None = None,
) -> RunOutcome:
    """Run a plan with workers, or resume it; see `evaluation.runner.run`.

    A talk audit, which follows the last case, is held in this process.

    Args:
        plan: What to run.
        pool: The workers.
        observer: Called with the progress.
        retry_failed: Retry cases that lost a response or a ballot.
        watcher: Told of each case; may hold cases back.

    Raises:
        ConfigurationError: Workers cannot do what the plan says, a model never answered, or the
            record cannot be used.
        OutageError: An endpoint was down for too long, or workers keep being lost.
    """
    started = time.monotonic()
    check_travels(plan)
    if plan.servers and pool.fleet is None:
        raise ConfigurationError("these workers reach no server that the run starts: set base_url")
    budget_plan = await BudgetPlan.of(plan)
    tell = _ignore if observer is None else observer.notify
    if budget_plan.unbound:
        tell(f"Note: {unbound_note(budget_plan.unbound)}")
    unaudited = 0
    async with AsyncExitStack() as stack:
        opening = begin_run(plan, unbound=budget_plan.unbound, retry_failed=retry_failed, tell=tell)
        record = await stack.enter_async_context(opening)
        total = plan.total + record.unasked
        # Workers call models; this process counts what they spend, and holds the audit.
        is_left = record.count_finished() < total
        needed = is_left or audit_is_due(plan, retry_failed=retry_failed)
        servers = ManagedServers(
            *(plan.servers, plan.directory, tell, record.keep_uptime),
            needed=needed,
            fleet=pool.fleet,
        )
        opening_models = open_run_models(plan, record, servers, lends=True)
        models = await stack.enter_async_context(opening_models)
        running = await RunServers.ready(models.fleet)
        driver = Driver(
            *(plan, record, pool, models, budget_plan.estimator, observer, watcher), running
        )
        async with first_failure(), asyncio.TaskGroup() as group:
            watching = [group.create_task(each.watch()) for each in (running, pool)]
            await driver.work()
            for watch in watching:
                watch.cancel()
        record.commit()
        if plan.options.audit_talk:
            unaudited = await _audit(plan, record, models, observer, retry_failed=retry_failed)
    stopped = driver.stopped or models.budget.stopped
    seconds = time.monotonic() - started
    return outcome_of(plan, total, seconds, stopped, unaudited, retry_failed=retry_failed)


async def _audit(
    plan: RunPlan,
    record: RunRecord,
    models: OpenModels,
    observer: Observer | None,
    *,
    retry_failed: bool,
) -> int:
    """Hold the votes of a talk audit; return how many the budget left out."""
    registry = models.registry
    async with Jury.seated(plan.jury, registry, media=plan.media, clerk=record.write_entry) as jury:
        auditor = TalkAuditor(
            plan, record, jury, models.budget, observer, retry_failed=retry_failed
        )
        return await auditor.work(registry)


def _ignore(message: str) -> None:
    """Ignore a message for which there is no observer."""
