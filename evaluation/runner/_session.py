"""Schedules the cases of a run."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

from ...assembly.config import most_calls, most_media_bytes
from ...common import BudgetError, FirstContactError, OutageError
from ...deliberation import Entry, Notice
from ...models import ModelRegistry, Wait
from ..plan import RunPlan
from ..record import RunRecord, as_kept
from ..trials import CaseResult, Exchange, Trial
from ._active_cases import ActiveCases, Slots
from ._budgeted import BudgetedExaminer
from ._media_room import MediaHold, MediaRoom
from ._offered import Offered, taken, unfinished_trials
from ._watched import WorkerCounts, watched
from ._watermark import Watermark

_Numbered = Offered[tuple[int, Trial]]


class Observer(Protocol):
    """Watches a run, for a progress display."""

    def started(self, total: int, finished: int, registry: ModelRegistry) -> None:
        """Report the number of cases, and of those finished before."""
        ...

    def case_finished(self, result: CaseResult) -> None:
        """Report a case that was just finished."""
        ...

    def waiting(self, waits: Sequence[Wait]) -> None:
        """Report the waiting calls, if any, twice a second."""
        ...

    def workers(self, counts: WorkerCounts) -> None:
        """Report the workers, twice a second, where the engine has some."""
        ...

    def notify(self, message: str) -> None:
        """Report an event, such as a started server."""
        ...


class CaseWatcher(Protocol):
    """Watches the cases of a run one by one, and may hold back those that have not begun.

    What it is told comes from the event loop of the run, so each call must be quick.
    """

    def begun(self, trial: Trial) -> None:
        """Report that a case is under way: its target is asked, or its response is judged."""
        ...

    def heard(self, event: Entry | Notice) -> None:
        """Report what happens in its deliberation."""
        ...

    def left(self, case_id: str) -> None:
        """Report that a case is no longer under way, with a verdict or without."""
        ...

    async def unheld(self) -> None:
        """Return once a case may begin."""
        ...


class Servers(Protocol):
    """The managed servers of a run, as the scheduling needs them."""

    def ready(self, name: str) -> Coroutine[Any, Any, object]:
        """Wait until a server is up; it is started when its turn comes."""
        ...

    def release(self, name: str) -> None:
        """Release a server whose responses are complete, to make room for the next."""
        ...


class Session:
    """Finishes all cases of a run that its record does not have yet.

    Targets without a managed server are examined together, query by query, if they share
    an endpoint; other endpoints have workers of their own, so that an endpoint that is
    down delays only its own targets. A target on a managed server is asked ahead of the
    jury: once its responses are complete, the server stops and the next one loads, while
    the jury still judges its cases. If such a server fails for good, the targets of
    others are examined all the same.

    Args:
        plan: What to run.
        record: The run's record.
        examiner: Runs a trial to its result, while the budget lasts.
        servers: The managed servers, None where the run has none.
        observer: Called with the progress.
        watcher: Told of each case; may hold cases back.
    """

    def __init__(
        self,
        plan: RunPlan,
        record: RunRecord,
        examiner: BudgetedExaminer,
        servers: Servers | None = None,
        observer: Observer | None = None,
        watcher: CaseWatcher | None = None,
    ) -> None:
        self._plan = plan
        self._record = record
        self._examiner = examiner
        self._servers = servers
        self._observer = observer
        self._watcher = watcher
        calls = most_calls(plan.limits)
        self._calls = min(calls, plan.total)
        self._cases = plan.most_cases
        # Their responses are kept until they are judged: no journal of calls has them.
        self._kept = {*plan.hosts, *plan.functions}
        self._on_server = Counter(plan.hosts.values())
        self._failures: dict[str, str] = {}
        self._outages: dict[str, None] = {}
        self._lost = set[str]()  # targets that are not asked any more
        self._active = ActiveCases()
        self._media = MediaRoom(most_media_bytes(plan.limits))
        self._doubtful: list[tuple[Trial, CaseResult]] = []
        self._finished_cases = 0
        self._total = plan.total + record.unasked

    async def work(self, registry: ModelRegistry) -> None:
        """Examine all unfinished cases, many at once.

        Raises:
            FirstContactError: A model never answered, or a server failed for good; the
                record keeps all finished cases.
            OutageError: An endpoint was down for too long; all cases that do not need it
                are finished, and the others are as if they had not been started.
        """
        self._finished_cases = self._record.count_finished()
        self._active.watch(registry.held_calls)
        if self._observer is not None:
            self._observer.started(self._total, self._finished_cases, registry)
        self._release_idle()
        async with watched(registry, self._observer, self._media):
            await self._examine_all()
            while not self._is_cut_short:
                self._finish_doubtful()  # or others would wait for them
                if not await self._record.wait_for_others():
                    break
                self._finished_cases = self._record.count_finished()
                await self._examine_all()
        if self._outages:
            left = self._total - self._finished_cases
            raise OutageError(
                cut_short(left, self._total, [*self._outages, *self._failures.values()])
            )
        self._finish_doubtful()
        if self._failures:
            raise FirstContactError(self._given_up())

    @property
    def _is_cut_short(self) -> bool:
        """Whether this process begins no more cases, though some may be unfinished."""
        return bool(self._outages or self._failures) or self._examiner.is_stopped

    async def _examine_all(self) -> None:
        hosts = self._plan.hosts
        async with asyncio.TaskGroup() as group:
            for together in self._plan.targets_by_place():
                self._active.enter()
                group.create_task(self._examine_together(together))
            for target, server in hosts.items():
                self._active.enter()
                group.create_task(self._examine_hosted(target, server))

    def _release_idle(self) -> None:
        """Release servers whose responses are complete from earlier."""
        hosts = self._plan.hosts
        needed = {hosts[name] for name in hosts if any(self._unanswered(name))}
        for server in set(hosts.values()) - needed:
            self._release(server)

    def _release(self, server: str) -> None:
        if self._servers is not None:
            self._servers.release(server)

    def _given_up(self) -> str:
        names = ", ".join(map(repr, sorted(self._failures)))
        targets = "the target" if len(self._failures) == 1 else "the targets"
        reasons = "; ".join(dict.fromkeys(why.rstrip(".") for why in self._failures.values()))
        return (
            f"the run is unfinished: {targets} {names} could not be asked to the end: {reasons}. "
            "Fix the cause and repeat the command: finished cases are kept."
        )

    def _unfinished(self, *targets: str) -> Iterator[Trial]:
        return unfinished_trials(self._plan, self._record, targets, self._lost)

    def _unanswered(self, target: str) -> Iterator[Trial]:
        for trial in self._unfinished(target):
            if self._record.response(trial.case_id) is None:
                yield trial

    def _numbered(self, target: str) -> _Numbered:
        return Offered(enumerate(self._unfinished(target)))

    async def _examine_together(self, targets: Sequence[str]) -> None:
        """Examine targets; the caller has counted this task as active."""
        trials, slots = Offered(self._unfinished(*targets)), Slots(self._cases, self._active)
        async with asyncio.TaskGroup() as group:
            # One by one as there is room, so that only the cases in progress are in memory.
            async for trial in taken(trials, self._record, self._cases):
                if not await self._may_begin(trials):
                    break
                if trial.target in self._lost:
                    continue
                examine = partial(self._examine, trial, trials)
                self._active.start(group, slots, trial.case_id, examine)
                await slots.free()
            self._active.leave()

    async def _may_begin(self, trials: Offered[Trial] | _Numbered) -> bool:
        """Return whether the next case may begin, once cases are not held back.

        The caller counts as active meanwhile: a pause lets no call in doubt fail.
        """
        if self._watcher is None:
            return True
        await self._watcher.unheld()
        return not trials.is_closed

    @contextmanager
    def _under_way(self, trial: Trial) -> Generator[None]:
        if self._watcher is None:
            yield
            return
        self._watcher.begun(trial)
        try:
            yield
        finally:
            self._watcher.left(trial.case_id)

    async def _examine(self, trial: Trial, trials: Offered[Trial]) -> None:
        with self._under_way(trial), self._media.hold(self._active.waiting) as hold:
            await self._ask_and_judge(trial, trials, hold)

    async def _ask_and_judge(self, trial: Trial, trials: Offered[Trial], hold: MediaHold) -> None:
        is_kept = trial.target in self._kept
        exchange = self._record.response(trial.case_id) if is_kept else None
        if exchange is not None:
            await self._judge(trial, exchange, trials, hold)
            return
        try:
            with self._active.waiting():
                await self._examiner.begin(trial)
            exchange = await self._examiner.ask(trial, hold)
        except OutageError as error:
            # Others at its endpoint may still be answered.
            self._outages[str(error)] = None
            self._lost.add(trial.target)
        except BudgetError:
            trials.close()
        else:
            if is_kept:
                exchange = as_kept(exchange)  # or a resumed run would show the jury another
                self._record.write_response(trial.case_id, exchange)
            await self._judge(trial, exchange, trials, hold)

    async def _judge(
        self, trial: Trial, exchange: Exchange, trials: Offered[Trial] | _Numbered, hold: MediaHold
    ) -> None:
        """Let the jury judge a case; without it, the case and all that follow stay unstarted."""
        try:
            result = await self._examiner.judge(trial, exchange, hold)
        except OutageError as error:
            self._outages[str(error)] = None
            trials.close()
        except BudgetError:
            trials.close()
        else:
            if self._active.is_doubtful(trial.case_id):
                # An outage that shows later would have cost it a call.
                self._doubtful.append((trial, result))
            else:
                self._finish(trial, result)

    async def _examine_hosted(self, target: str, server: str) -> None:
        """Examine a target on a managed server; the caller has counted this task as active."""
        ahead, slots = Watermark(), Slots(self._cases, self._active)
        async with asyncio.TaskGroup() as group:
            self._active.enter()
            group.create_task(self._ask_all(target, server, ahead))
            trials = self._numbered(target)
            for number, trial in trials:
                if not await self._may_begin(trials):
                    break
                judge = partial(self._judge_behind, number, trial, trials, ahead)
                self._active.start(group, slots, trial.case_id, judge)
                await slots.free()
            self._active.leave()

    async def _ask_all(self, target: str, server: str, ahead: Watermark) -> None:
        trials = self._numbered(target)
        async with asyncio.TaskGroup() as group:
            for _ in range(self._calls):
                self._active.enter()
                group.create_task(self._ask(target, trials, server, ahead))
        self._active.leave()
        ahead.stop()
        self._on_server[server] -= 1
        if not self._on_server[server]:
            self._release(server)

    async def _ask(self, target: str, trials: _Numbered, server: str, ahead: Watermark) -> None:
        try:
            for number, trial in trials:
                if self._record.response(trial.case_id) is None:
                    await self._answer(trial, server)
                ahead.finish(number)
        except FirstContactError as error:
            self._failures[target] = str(error)
        except BudgetError:
            pass
        finally:
            self._active.leave()

    async def _answer(self, trial: Trial, server: str) -> None:
        if self._servers is not None:
            await self._examiner.unless_stopped(self._servers.ready(server))
        if self._watcher is not None:
            await self._watcher.unheld()
        # Not until it is judged, which may be long after.
        with self._under_way(trial), self._media.hold(self._active.waiting) as hold:
            with self._active.waiting():
                await self._examiner.begin(trial)
            self._record.write_response(trial.case_id, await self._examiner.ask(trial, hold))

    async def _judge_behind(
        self, number: int, trial: Trial, trials: _Numbered, ahead: Watermark
    ) -> None:
        with self._active.waiting():
            is_answered = await ahead.wait(number)
        if is_answered:
            exchange = self._record.response(trial.case_id)
            assert exchange is not None
            with self._under_way(trial), self._media.hold(self._active.waiting) as hold:
                await self._judge(trial, exchange, trials, hold)

    def _finish_doubtful(self) -> None:
        doubtful, self._doubtful = self._doubtful, []
        for trial, result in doubtful:
            self._finish(trial, result)

    def _finish(self, trial: Trial, result: CaseResult) -> None:
        self._record.write_result(trial.case_id, result)
        if trial.target in self._kept:
            self._record.forget_response(trial.case_id)
        self._finished_cases += 1
        if self._observer is not None:
            self._observer.case_finished(result)


def cut_short(left: int, total: int, reasons: Iterable[str]) -> str:
    """Return the message for a run that ends before its last case.

    Args:
        left: Unfinished cases.
        total: All cases.
        reasons: Why they are.
    """
    why = "; ".join(reasons)
    return (
        f"the run is unfinished, with {left} of {total} cases left as if they had not been "
        f"started: {why}{'' if why.endswith(('.', '?')) else '.'} "
        "Fix the cause and repeat the command: finished cases are kept."
    )
