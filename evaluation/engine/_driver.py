"""Drives workers: gives them trials, writes what comes of these, and replaces lost workers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from ... import common
from ...common import (
    FirstContactError,
    OutageError,
    SafejuryError,
    first_failure,
)
from ...common.text import many
from ...models import ModelRegistry, Wait
from ..plan import RunPlan
from ..record import RunRecord
from ..runner import CaseWatcher, Estimates, Observer, proven_models
from ._giving import Giver
from ._messages import Ended, Report, Spent, Work
from ._pool import Link, Pool, WorkerLost
from ._shares import Share, Shares
from ._travel import setup_of
from ._trials import TrialsLeft
from ._writing import Outstanding, RowWriter

_MOST_GIVEN = 64
"""Trials in one message."""
_PACE_S = 0.05
_PACE_EACH_S = 0.0125
_SLOWEST_PACE_S = 0.5
_MOST_LOST = 3
"""Times the number of workers: so many lost without a case finished between them end a run."""
_FINAL_S = 5.0
"""For which a worker is waited for that is to end at once."""


@dataclass(slots=True)
class _Crew:
    """One worker, as the driver knows it."""

    number: int
    link: Link
    share: Share
    outstanding: Outstanding = field(default_factory=Outstanding)
    given: list[int] = field(default_factory=list[int])
    spent: Spent = Spent()
    is_ready: bool = False
    has_left: bool = False
    cases: int = 0
    waits: Sequence[Wait] = ()


class Driver:
    """Finishes all cases of a run that its record does not have yet, with workers.

    Args:
        plan: What to run.
        record: The run's record, which only this process writes.
        pool: The workers.
        registry: Has the run's budget, with what was spent before.
        estimator: Estimates the charge of a case; None where the run has no limit.
        observer: Called with the progress.
        watcher: Told of each case; may hold cases back.
    """

    def __init__(
        self,
        plan: RunPlan,
        record: RunRecord,
        pool: Pool,
        registry: ModelRegistry,
        estimator: Estimates | None,
        observer: Observer | None,
        watcher: CaseWatcher | None,
    ) -> None:
        self._plan = plan
        self._record = record
        self._pool = pool
        self._registry, self._budget = registry, registry.budget
        self._observer = observer
        self._lost_targets = set[str]()
        places = plan.targets_by_place()
        self._lanes = [TrialsLeft(plan, record, names, self._lost_targets) for names in places]
        self._giver = Giver(plan, record, pool, estimator, watcher)
        self._shares = Shares(plan.limits, pool.number, registry.budget)
        self._crews: dict[int, _Crew] = {}
        self._writer = RowWriter(plan, record, observer, watcher)
        self._outages: dict[str, None] = {}
        self._lost_since = 0
        self._was_given = False
        self._over = asyncio.Event()
        self.stopped: str | None = None

    async def work(self) -> None:
        """Examine all unfinished cases.

        Raises:
            FirstContactError: A model never answered; the record keeps all finished cases.
            OutageError: An endpoint was down for too long, or workers keep being lost; what
                is finished is kept.
        """
        finished, total = self._record.count_finished(), self._plan.total + self._record.unasked
        self._writer.finished = finished
        if self._observer is not None:
            self._observer.started(total, finished, self._registry)
        self._look()
        async with first_failure(), asyncio.TaskGroup() as group:
            watch = group.create_task(self._show())
            serving = [group.create_task(self._serve(at)) for at in range(self._pool.number)]
            await self._over.wait()
            for task, crew in zip(serving, range(self._pool.number), strict=True):
                if crew not in self._crews or not self._crews[crew].is_ready:
                    task.cancel()  # no room was found for it
                else:
                    self._tell(self._crews[crew], Work({}, [], closed=True))
            await asyncio.wait(serving)
            watch.cancel()
        if self._outages:
            raise OutageError(self._cut_short(total))
        self._writer.finish_doubtful()

    async def _serve(self, number: int) -> None:
        """Keep one worker at work; when it is lost, another takes its place."""
        while not self._over.is_set():
            crew = _Crew(number, self._pool.open(number), self._shares.take(number))
            crew.given = [0 for _ in self._lanes]
            self._crews[number] = crew
            try:
                await self._drive(crew)
                return
            except WorkerLost as lost:
                self._take_back(crew, lost)
            except asyncio.CancelledError:
                await self._cancel(crew)
                raise
            finally:
                del self._crews[number]
                await crew.link.close()

    async def _drive(self, crew: _Crew) -> None:
        answered = proven_models(self._plan, self._record)
        pace = min(_SLOWEST_PACE_S, max(_PACE_S, _PACE_EACH_S * self._pool.number))
        setup = setup_of(self._plan, crew.share.limits, pace=pace, answered=answered)
        await crew.link.start(msgspec.msgpack.encode(setup))
        while True:
            report = msgspec.msgpack.decode(await crew.link.take(), type=Report)
            self._take_in(crew, report)
            if report.ended is not None:
                self._check(crew, report.ended)
                return
            await self._feed(crew, report)

    def _take_in(self, crew: _Crew, report: Report) -> None:
        """Write the rows of a report as one group, and take down what else it says."""
        before = self._writer.finished
        with self._record.together():
            left = self._writer.write(crew.outstanding, report.rows)
        for trial, lane, row in left:
            if not row.outage:
                self._lanes[lane].put_back(trial)
                continue
            self._outages[row.why] = None
            if row.asked:
                self._lanes[lane].close()
            else:  # others at its endpoint may still be answered
                self._lost_targets.add(trial.target)
        if self._writer.finished > before:
            self._lost_since = 0
        self._charge(crew, report.spent)
        crew.is_ready, crew.cases, crew.waits = report.ready, report.cases, report.waits
        if crew.spent.stopped is not None:
            self._stop_if_all_are()
        self._look()

    def _charge(self, crew: _Crew, spent: Spent) -> None:
        """Add to the run's budget what calls of a worker have cost since its last report."""
        before, crew.spent = crew.spent, spent
        self._budget.add_earlier_cost(
            spent.tokens - before.tokens, spent.usd - before.usd, spent.unknown - before.unknown
        )

    def _stop_if_all_are(self) -> None:
        """Let no case begin any more once no worker has anything left of its share."""
        ready = [crew for crew in self._crews.values() if crew.is_ready]
        if all(crew.spent.stopped is not None for crew in ready):
            self.stopped = ready[0].spent.stopped
            for lane in self._lanes:
                lane.close()

    async def _feed(self, crew: _Crew, report: Report) -> None:
        """Give a worker as many trials as it has room for."""
        if not report.ready or self._over.is_set():
            return
        work, media = Work({}, []), dict[str, object]()
        room = 0 if crew.spent.stopped else _MOST_GIVEN
        for number, (lane, takes) in enumerate(zip(self._lanes, report.takes, strict=True)):
            while room and takes > crew.given[number]:
                if (found := lane.next()) is None:
                    work.dry.append(number)
                    break
                trial, again = found
                crew.outstanding.trials[trial.case_id] = trial, number
                given, its_media = await self._giver.given(trial, again=again)
                work.given.setdefault(number, []).append(given)
                media |= its_media
                crew.given[number] += 1
                room -= 1
        self._was_given = self._was_given or bool(work.given)
        self._tell(crew, work, media)
        self._look()

    def _tell(self, crew: _Crew, work: Work, media: dict[str, object] | None = None) -> None:
        crew.link.give(msgspec.msgpack.encode(work), media or {})

    def _look(self) -> None:
        """Take down whether nothing is left to do, nor under way."""
        under_way = any(crew.outstanding.trials for crew in self._crews.values())
        if not under_way and all(lane.is_empty for lane in self._lanes):
            self._over.set()

    def _check(self, crew: _Crew, ended: Ended) -> None:
        """Raise what ended a worker, unless it is only one of many that cannot be used."""
        crew.has_left = True
        if ended.error is None:
            if crew.outstanding.trials:
                raise WorkerLost("it ended before its work")
            return
        kind = getattr(common, ended.error, None)
        if not isinstance(kind, type) or not issubclass(kind, SafejuryError):
            raise WorkerLost(ended.why)
        if issubclass(kind, FirstContactError):
            raise kind(ended.why)
        raise kind(f"{_named(crew.link)}: {ended.why}")

    def _take_back(self, crew: _Crew, lost: WorkerLost) -> None:
        """Let others run the trials of a lost worker, and charge what its calls held."""
        self._lost_since += 1
        taken = crew.outstanding
        if self._lost_since > _MOST_LOST * self._pool.number:
            raise OutageError(
                f"{self._lost_since} workers were lost without a case finished between them; "
                f"the last: {_named(crew.link)}, {lost}. Finished cases are kept: fix the cause "
                "and repeat the command."
            )
        with self._record.together():
            held = self._writer.charge_held(taken)
        self._record.commit()
        self._budget.add_earlier_cost(held.tokens, held.usd or 0.0, taken.unpriced)
        spent = crew.spent
        self._shares.give_back(
            crew.share, spent.tokens + held.tokens, spent.usd + (held.usd or 0.0)
        )
        back = many(len(taken.trials), "case")
        for case_id, (trial, lane) in taken.trials.items():
            self._writer.left(case_id)
            self._lanes[lane].put_back(trial)
        taken.trials.clear()
        if self._observer is not None:
            self._observer.notify(f"{_named(crew.link)} is lost ({lost}): {back} begin again")
        self._look()

    async def _cancel(self, crew: _Crew) -> None:
        """Let a worker end at once, and keep what it says of its last calls."""
        if not crew.is_ready or crew.has_left:
            return
        self._tell(crew, Work({}, [], canceled=True))
        try:
            async with asyncio.timeout(_FINAL_S):
                while True:
                    report = msgspec.msgpack.decode(await crew.link.take(), type=Report)
                    with self._record.together():
                        self._writer.write(crew.outstanding, report.rows)
                    self._charge(crew, report.spent)
                    if report.ended is not None:
                        return
        except (WorkerLost, TimeoutError):
            return
        finally:
            with self._record.together():
                self._writer.charge_held(crew.outstanding)

    async def _show(self) -> None:
        while self._observer is not None:
            crews = list(self._crews.values())
            self._observer.waiting([wait for crew in crews for wait in crew.waits])
            await asyncio.sleep(0.5)

    def _cut_short(self, total: int) -> str:
        left, reasons = total - self._writer.finished, "; ".join(self._outages)
        return (
            f"the run is unfinished, with {left} of {total} cases left as if they had not been "
            f"started: {reasons}{'' if reasons.endswith(('.', '?')) else '.'} "
            "Fix the cause and repeat the command: finished cases are kept."
        )


def _named(link: Link) -> str:
    return f"{link.name} on {link.node}" if link.node else link.name
