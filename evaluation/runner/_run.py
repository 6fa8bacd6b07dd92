"""The run: every query to every target, each case to the jury, all into the record."""

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

from ...agents import Ask, CaseCount
from ...assembly.models import ManagedServers
from ...deliberation import Jury
from ..plan import (
    Purse,
    RunPlan,
    open_transcripts,
    unbound_note,
)
from ..record import RecordReader
from ._examiner import Examiner
from ._opening import begin_run, open_run_models, open_targets
from ._session import Observer, Session
from ._staging import Stage
from ._thrift import ThriftyExaminer


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended.

    Attributes:
        cases: Cases finished, earlier ones included.
        verdicts: Those with a verdict.
        seconds: Wall time of this process.
        planned: Cases that there are to be.
        given_up: Cases in which an attack found nothing to ask, so that none needs a verdict.
        stopped: Why the budget left cases unfinished, or lost parts of them unasked for
            again; None where it did not.
    """

    cases: int
    verdicts: int
    seconds: float
    planned: int
    given_up: int = 0
    stopped: str | None = None

    @property
    def coverage(self) -> float:
        """Verdicts per planned case that needs one, in [0, 1]; 0 where there is none."""
        needed = self.planned - self.given_up
        return self.verdicts / needed if needed else 0.0


async def run(
    plan: RunPlan,
    observer: Observer | None = None,
    *,
    retry_failed: bool = False,
    ask: Ask | None = None,
) -> RunOutcome:
    """Finish a run: all that its record does not hold yet.

    Cancelling it is safe at any moment; the same call goes on where it ended.

    Args:
        plan: What to run.
        observer: Is told of progress.
        retry_failed: Hear finished cases again that failed calls or the budget cost a
            response or a ballot; see `Record.hear_failed_again`.
        ask: Asks the person on the jury, None for the plain terminal.

    Raises:
        ConfigurationError: A limit of money does not bind a model, a model never
            answered, a server failed for good, or the record cannot be used.
    """
    begun = time.monotonic()
    purse = await Purse.of(plan)
    if purse.unbound and observer is not None:
        observer.notify(f"Note: {unbound_note(purse.unbound)}")
    async with AsyncExitStack() as stack:
        opening = begin_run(plan, unbound=purse.unbound, retry_failed=retry_failed)
        record = await stack.enter_async_context(opening)
        servers = ManagedServers(
            plan.servers,
            plan.directory,
            observer.notify if observer is not None else _ignore,
            record.keep_uptime,
            needed=record.count_finished() < plan.total,
            tells_plan=True,
        )
        opening_models = open_run_models(plan, record, servers)
        models = await stack.enter_async_context(opening_models)
        registry = models.registry
        jury = await stack.enter_async_context(
            Jury.seated(
                plan.jury,
                registry,
                ask=ask,
                cases=CaseCount(plan.total, record.count_finished()),
                media=plan.media,
                clerk=record.write_entry,
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
        thrifty = ThriftyExaminer(examiner, models.budget, purse.estimator)
        await Session(plan, record, thrifty, models.fleet, observer).work(registry)
    cases, verdicts, given_up = _count(plan)
    # Else the cases themselves say what it cost them.
    is_cut_short = cases < plan.total or retry_failed
    stopped = models.budget.stopped if is_cut_short else None
    seconds = time.monotonic() - begun
    return RunOutcome(cases, verdicts, seconds, plan.total, given_up, stopped)


def _ignore(message: str) -> None:
    """Take a message for which there is no observer."""


def _count(plan: RunPlan) -> tuple[int, int, int]:
    reader = RecordReader(plan.directory)
    try:
        return *reader.counts(), reader.count_given_up()
    finally:
        reader.close()
