"""Drives workers: gives them trials, writes what comes of these, and replaces lost workers."""

import asyncio
from contextlib import suppress
from math import ceil

import msgspec

from ... import common
from ...assembly.config import most_calls
from ...assembly.models import OpenModels
from ...common import BudgetError, FirstContactError, OutageError, SafejuryError, first_failure
from ...common.text import many
from ...models import Charge, LeaseReport
from ..plan import CASES_PER_CALL, RunPlan
from ..record import RunRecord
from ..runner import CaseWatcher, Estimates, Observer, WorkerCounts, cut_short, proven_models
from ..trials import Trial
from ._giving import Giver
from ._messages import Ended, Report, Work
from ._pool import Pool, WorkerLost
from ._servers import RunServers
from ._travel import lanes_of, setup_of
from ._trials import TrialsLeft
from ._workers import KnownWorker, counts_of
from ._writing import RowWriter

_NOTHING = Charge(0, 0.0)
_MOST_GIVEN = 64
"""Trials in one message."""
_PACE_S = 0.05
_PACE_EACH_S = 0.0125
_SLOWEST_PACE_S = 0.5
_GROWTH_S = 2.0
"""Between two looks at whether there is room for more workers."""
_MOST_LOST = 3
"""Times the number of workers: so many lost without a case finished between them end a run."""
_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 60.0
"""Before a worker that could not begin is tried again, the first time and at most."""
_FINAL_S = 5.0
"""For which a worker is waited for that is to end at once."""
_ROOM_S = 15.0
"""For which room for a first worker is waited for without a word."""


class Driver:
    """Finishes all cases of a run that its record does not have yet, with workers.

    Args:
        plan: What to run.
        record: The run's record, which only this process writes.
        pool: The workers.
        models: Has the book of leases, and the run's budget with what was spent before.
        estimator: Estimates the charge of a case; None where the run has no limit.
        observer: Called with the progress.
        watcher: Told of each case; may hold cases back.
        servers: The managed servers.
    """

    def __init__(
        self,
        plan: RunPlan,
        record: RunRecord,
        pool: Pool,
        models: OpenModels,
        estimator: Estimates | None,
        observer: Observer | None,
        watcher: CaseWatcher | None,
        servers: RunServers,
    ) -> None:
        self._plan = plan
        self._record = record
        self._pool = pool
        assert models.book is not None
        self._registry = models.registry
        self._servers = servers
        self._observer = observer
        self._lost_targets = set[str]()
        places = lanes_of(plan)
        self._lanes = [TrialsLeft(plan, record, names, self._lost_targets) for names in places]
        self._watcher = watcher
        self._giver = Giver(plan, record, pool, watcher)
        self._estimator = estimator
        self._book = models.book
        self._opened = 0
        self._workers: dict[int, KnownWorker] = {}
        self._writer = RowWriter(plan, record, observer, watcher, self._giver.on_the_way)
        self._outages: dict[str, None] = {}
        self._lost = self._lost_since = 0
        self._over = asyncio.Event()
        self.stopped: str | None = None
        if plan.servers and not servers.addresses:  # nothing is left to do, or to spend
            self._stop(models.budget.stopped or "")

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
        self._end_if_done()
        number, lacking = self._pool.number(), self._pool.lacking
        if 0 < lacking < number and not self._over.is_set():
            of_all = f"{lacking} of {many(number, 'worker')}"
            self._say(
                f"{of_all} wait for CPUs, which the cluster does not have: others do the work"
            )
        async with first_failure(), asyncio.TaskGroup() as group:
            watch = group.create_task(self._show())
            serving = list[asyncio.Task[None]]()
            no_room = asyncio.get_running_loop().call_later(_ROOM_S, self._say_no_room)
            while not self._over.is_set():
                while len(serving) < self._pool.number():
                    serving.append(group.create_task(self._serve(len(serving))))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), _GROWTH_S)
            no_room.cancel()
            for number, task in enumerate(serving):
                worker = self._workers.get(number)
                if worker is None or not worker.is_ready:
                    task.cancel()  # no room was found for it
                else:
                    worker.tell(Work({}, [], closed=True))
            if serving:
                await asyncio.wait(serving)
            watch.cancel()
        if self._observer is not None:
            self._observer.workers(WorkerCounts())
        if self._outages:
            left = total - self._writer.finished
            raise OutageError(cut_short(left, total, self._outages))
        self._writer.finish_doubtful()

    async def _serve(self, number: int) -> None:
        """Keep one worker at work; when it is lost, another takes its place."""
        pause = 0.0
        while not self._over.is_set():
            if pause:  # such as on a node that came later, with something else installed
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), pause)
                    return
            self._opened += 1
            name, lanes = f"{number}.{self._opened}", [0 for _ in self._lanes]
            self._workers[number] = worker = KnownWorker(name, self._pool.open(number), lanes)
            try:
                await self._drive(worker)
                return
            except WorkerLost as lost:
                self._take_back(worker, lost)
                longer = min(_LONGEST_PAUSE_S, 2 * pause or _PAUSE_S)
                pause = 0.0 if worker.is_ready else longer
            except asyncio.CancelledError:
                await self._cancel(worker)
                raise
            finally:
                del self._workers[number]
                await worker.link.close()
                self._drop(worker)

    async def _drive(self, worker: KnownWorker) -> None:
        worker.answered = proven_models(self._plan, self._record)
        number = self._pool.number()
        setup = setup_of(
            self._plan,
            worker=worker.name,
            cases=CASES_PER_CALL * ceil(most_calls(self._plan.limits) / number),
            pace=min(_SLOWEST_PACE_S, max(_PACE_S, _PACE_EACH_S * number)),
            answered=worker.answered,
            servers=self._servers.addresses,
        )
        await worker.link.start(msgspec.msgpack.encode(setup), self._servers.key)
        async with first_failure(), asyncio.TaskGroup() as group:
            feeding: asyncio.Task[None] | None = None
            while not worker.has_left:
                report = await worker.hear(self._pool.silence, self._say)
                self._take_in(worker, report)
                if report.lease is not None:
                    self._renew(worker, report.lease)
                if report.ended is not None:
                    self._check(worker, report.ended)
                # Beside this: a trial may be held back, or its media wait for room, for as long
                # as it takes; the worker would be cut off meanwhile, and its calls as well.
                elif feeding is None or feeding.done():
                    feeding = group.create_task(self._feed(worker, report))
            if feeding is not None:
                feeding.cancel()

    def _renew(self, worker: KnownWorker, lease: LeaseReport) -> None:
        """Book what a worker holds of limits and budget, and tell it what it may take."""
        worker.booked = lease.budget
        worker.calls = sum(min(place.calls, place.holds) for place in lease.places.values())
        worker.tell(Work({}, [], grant=self._book.renew(lease)))

    def _take_in(self, worker: KnownWorker, report: Report) -> None:
        """Write the rows of a report as one group, and take down what else it says."""
        before = self._writer.finished
        with self._record.together():
            left = self._writer.write(worker.outstanding, report.rows)
        for trial, lane, row in left:
            if not row.outage:
                self._stop(row.why)
                continue
            self._outages[row.why] = None
            if row.asked:
                self._lanes[lane].close()
            else:  # others at its endpoint may still be answered
                self._lost_targets.add(trial.target)
        if self._writer.finished > before:
            self._lost_since = 0
        worker.spent, worker.cases, worker.waits = report.spent, report.cases, report.waits
        if report.ready and not worker.is_ready:
            worker.is_ready = True
            at_work = sum(one.is_ready for one in self._workers.values())
            self._say(f"{worker} is at work: {many(at_work, 'worker')} now")
        self._end_if_done()

    def _stop(self, why: str) -> None:
        """Let no case begin any more, because the budget does not cover it."""
        self.stopped = self.stopped or why
        for lane in self._lanes:
            lane.close()

    async def _feed(self, worker: KnownWorker, report: Report) -> None:
        """Give a worker as many trials as it has room for."""
        if not report.ready:
            return
        if self._watcher is not None:
            await self._watcher.unheld()
        if self._over.is_set():
            return
        work, media = Work({}, []), dict[str, object]()
        room, under_way = _MOST_GIVEN, worker.outstanding.trials
        for number, (lane, takes) in enumerate(zip(self._lanes, report.takes, strict=True)):
            while room and takes > worker.given[number]:
                if not self._giver.has_room(under_way) or (found := lane.next()) is None:
                    work.dry.append(number)
                    break
                trial, again = found
                if not self._may_begin(trial):
                    lane.put_back(trial, again=again)
                    work.dry.append(number)
                    break
                under_way[trial.case_id] = trial, number
                given, its_media = await self._giver.given(trial, self._charge(trial), again=again)
                work.given.setdefault(number, []).append(given)
                media |= its_media
                worker.given[number] += 1
                room -= 1
        if work.given or work.dry:
            worker.tell(work, media)
        self._end_if_done()

    def _drop(self, worker: KnownWorker, held: Charge = _NOTHING, unpriced: int = 0) -> None:
        """Take back what a worker leases, and book what it spent since it last told the book."""
        booked, spent = worker.booked.spent, worker.spent
        charged = Charge(
            held.tokens + spent.tokens - booked.tokens,
            (held.usd or 0.0) + spent.usd - (booked.usd or 0.0),
        )
        unknown = unpriced + spent.unknown - worker.booked.unknown
        self._book.drop(worker.name, charged, unpriced=unknown)

    def _may_begin(self, trial: Trial) -> bool:
        """Return whether the budget has room for a case now."""
        try:
            paid = self._giver.is_answered(trial)
            return self._estimator is None or self._book.budget.begin_case_now(
                trial.case_id, self._charge(trial), paid=paid
            )
        except BudgetError as error:
            self._stop(str(error))
            return False

    def _charge(self, trial: Trial) -> Charge:
        return Charge(0, None) if self._estimator is None else self._estimator.case(trial)

    def _end_if_done(self) -> None:
        """Let all workers end once no trial is left, nor under way."""
        under_way = any(worker.outstanding.trials for worker in self._workers.values())
        if not under_way and all(lane.is_empty for lane in self._lanes):
            self._over.set()

    def _check(self, worker: KnownWorker, ended: Ended) -> None:
        """Raise what ended a worker, unless it is only one of many that cannot be used."""
        worker.has_left = True
        if ended.error is None:
            if worker.outstanding.trials:
                raise WorkerLost("it ended before its work")
            return
        kind = getattr(common, ended.error, None)
        if not isinstance(kind, type) or not issubclass(kind, SafejuryError):
            raise WorkerLost(ended.why)
        if not issubclass(kind, FirstContactError):
            raise kind(f"{worker}: {ended.why}")
        self._record.commit()
        if proven_models(self._plan, self._record) > worker.answered:
            # Others were answered meanwhile: it may be one of their models, at one call.
            raise WorkerLost(ended.why)
        raise kind(ended.why)

    def _take_back(self, worker: KnownWorker, lost: WorkerLost) -> None:
        """Let others run the trials of a lost worker, and charge what its calls held."""
        self._lost += 1
        if worker.is_ready or not any(one.is_ready for one in self._workers.values()):
            self._lost_since += 1  # else others are well
        taken = worker.outstanding
        if self._lost_since > _MOST_LOST * self._pool.number():
            raise OutageError(
                f"{self._lost_since} workers were lost without a case finished between them; "
                f"the last: {worker}, {lost}. Finished cases are kept: fix the cause "
                "and repeat the command."
            )
        with self._record.together():
            held = self._writer.charge_held(taken)
        self._record.commit()
        self._drop(worker, held, taken.unpriced)
        back = many(len(taken.trials), "case")
        for case_id, (trial, lane) in taken.trials.items():
            self._writer.left(case_id)
            self._book.budget.end_case(case_id)
            self._lanes[lane].put_back(trial, again=True)
        taken.trials.clear()
        self._say(f"{worker} is lost ({lost}): {back} begin again")
        self._end_if_done()

    async def _cancel(self, worker: KnownWorker) -> None:
        """Let a worker end at once, and keep what it says of its last calls."""
        if not worker.is_ready or worker.has_left:
            return

        def keep(report: Report) -> None:
            with self._record.together():
                self._writer.write(worker.outstanding, report.rows)

        try:
            await worker.last_reports(_FINAL_S, keep)
        finally:
            with self._record.together():
                self._writer.charge_held(worker.outstanding)

    def _say_no_room(self) -> None:
        if self._workers and not any(worker.link.node for worker in self._workers.values()):
            self._say("No CPU of the cluster is free for a worker yet: waiting until one is")

    def _say(self, message: str) -> None:
        if self._observer is not None:
            self._observer.notify(message)

    async def _show(self) -> None:
        while self._observer is not None:
            workers = self._workers.values()
            self._observer.waiting([wait for worker in workers for wait in worker.waits])
            self._observer.workers(counts_of(workers, self._lost))
            await asyncio.sleep(0.5)
