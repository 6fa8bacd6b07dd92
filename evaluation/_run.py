"""The run: every query to every target, each case to the jury, all into the record."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Protocol

import msgspec
import yaml

from ..agents import Case
from ..datasets import Query, RecordError, first_failure, load_taxonomy
from ..deliberation import Jury
from ..models import Budget, ResponseCache, RetryPolicy, Switchboard
from ..targets import Target
from ._record import Record, open_record
from ._record_reader import RecordReader
from ._result import CaseResult, result_of
from ._setup import Setup

_CASES_PER_CALL = 2
"""Cases under way for each call that may be: fewer would leave calls idle while cases talk."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of work: one query, one target, one repetition, to one verdict.

    Plain data, so that it can be carried to another process.
    """

    query: Query
    target: str
    epoch: int

    @property
    def case_id(self) -> str:
        """The id of the case it becomes, unique within the run."""
        return f"{self.query.id}/{self.target}/{self.epoch}"


class Examiner:
    """Takes units of work to their results: the same wherever it runs.

    Args:
        targets: Who is examined.
        jury: Who judges, open.
    """

    def __init__(self, targets: Iterable[Target], jury: Jury) -> None:
        self._targets = {target.name: target for target in targets}
        self._jury = jury
        self._taxonomy = load_taxonomy()

    async def examine(self, unit: Unit) -> CaseResult:
        """Put a query to a target and the response to the jury.

        Raises:
            FirstContactError: A model never answered once and waiting won't help.
        """
        response = await self._targets[unit.target].respond(
            unit.query, epoch=unit.epoch, call_id=f"{unit.case_id}/target"
        )
        guideline = self._taxonomy.resolve(unit.query.scenario).guideline
        verdict = await self._jury.hear(Case(unit.case_id, unit.query, response, guideline))
        return result_of(unit.target, unit.epoch, unit.query, response, verdict)


class Observer(Protocol):
    """Watches a run, for a progress display."""

    def started(self, total: int, finished: int, switchboard: Switchboard) -> None:
        """Be told how many cases there are, and how many were finished before."""
        ...

    def case_finished(self, result: CaseResult) -> None:
        """Be told of a case that has just been finished."""
        ...


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended.

    Attributes:
        cases: Cases finished, earlier ones included.
        verdicts: Those with a verdict.
        seconds: Wall time of this process.
    """

    cases: int
    verdicts: int
    seconds: float

    @property
    def coverage(self) -> float:
        """Verdicts divided by cases, in [0, 1]; 0 where there is no case."""
        return self.verdicts / self.cases if self.cases else 0.0


async def run(
    setup: Setup, observer: Observer | None = None, *, retry_failed: bool = False
) -> RunOutcome:
    """Finish a run: all that its record does not hold yet.

    Cancelling it is safe at any moment; the same call goes on where it ended.

    Args:
        setup: What to run.
        observer: Is told of progress.
        retry_failed: Hear finished cases again that failed calls or the budget left
            without a verdict.

    Raises:
        ConfigurationError: A model never answered, or the record cannot be used.
    """
    begun = time.monotonic()
    async with AsyncExitStack() as stack:
        record = await stack.enter_async_context(
            open_record(setup.directory, setup.identity(), _meta(setup))
        )
        if retry_failed:
            record.forget_failed()
        _write_config(setup)
        switchboard = await stack.enter_async_context(_switchboard(setup, record, stack))
        jury = await stack.enter_async_context(
            Jury(
                setup.bench.seat(switchboard),
                setup.bench.protocol,
                foreperson=setup.bench.summing_model(switchboard),
                seed=setup.config.run.seed,
                clerk=record.write_entry,
            )
        )
        examiner = Examiner(setup.open_targets(switchboard), jury)
        await _Session(setup, record, examiner, observer).work(switchboard)
    counts = _count(setup)
    return RunOutcome(*counts, time.monotonic() - begun)


class _Session:
    """One process's share of a run."""

    def __init__(
        self, setup: Setup, record: Record, examiner: Examiner, observer: Observer | None
    ) -> None:
        self._setup = setup
        self._record = record
        self._examiner = examiner
        self._observer = observer

    async def work(self, switchboard: Switchboard) -> None:
        """Examine all that is not finished, many cases at once."""
        if self._observer is not None:
            finished = self._record.count_finished()
            self._observer.started(self._setup.total, finished, switchboard)
        units = self._unfinished()
        workers = min(_CASES_PER_CALL * self._setup.config.limits.concurrency, self._setup.total)
        async with first_failure(), asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._drain(units))

    def _unfinished(self) -> Iterator[Unit]:
        for epoch in range(self._setup.config.run.epochs):
            for query in self._setup.selection:
                for target in self._setup.config.targets:
                    unit = Unit(query, target.name, epoch)
                    if not self._record.is_finished(unit.case_id):
                        yield unit

    async def _drain(self, units: Iterator[Unit]) -> None:
        # All workers draw from one iterator, so only the cases under way are in memory.
        for unit in units:
            kept = replace(unit, query=self._record.keep_media(unit.query))
            result = await self._examiner.examine(kept)
            self._record.write_result(unit.case_id, result)
            if self._observer is not None:
                self._observer.case_finished(result)
            await self._record.flushed()


def _switchboard(setup: Setup, record: Record, stack: AsyncExitStack) -> Switchboard:
    limits = setup.config.limits
    budget = Budget(limits.max_tokens_total, limits.max_cost_usd)
    if record.resumed:
        reader = RecordReader(setup.directory)
        budget.add_spent(*reader.spent())
        reader.close()
    cache = None
    if setup.config.run.cache is not None:
        cache = ResponseCache(setup.config.run.cache)
        stack.callback(cache.close)
    return Switchboard(
        concurrency=limits.concurrency,
        requests_per_minute=limits.requests_per_minute,
        policy=RetryPolicy(attempts=limits.attempts),
        budget=budget,
        cache=cache,
        journal=record,
    )


def _meta(setup: Setup) -> dict[str, str]:
    seats = msgspec.json.encode(setup.bench.infos).decode()
    return {
        "version": version("safejury"),
        "name": setup.config.run.name,
        "protocol": setup.bench.protocol.name,
        "jury": seats,
        "embedded": "yes" if setup.uses_embedded else "no",
        "total": str(setup.total),
    }


def _write_config(setup: Setup) -> None:
    """Write the resolved config beside the record."""
    text = yaml.safe_dump(setup.plain(), sort_keys=False, allow_unicode=True)
    path = setup.directory / "run.yaml"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RecordError(
            f"{path}: cannot be written ({error.strerror}): free some space or mend the "
            "directory, then repeat the command."
        ) from None


def _count(setup: Setup) -> tuple[int, int]:
    reader = RecordReader(setup.directory)
    try:
        return reader.counts()
    finally:
        reader.close()
