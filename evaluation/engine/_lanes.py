"""Examines the trials of a worker, many at once, as `Session` does for one process alone."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from ...assembly.config import most_media_bytes
from ...common import BudgetError, OutageError, first_failure
from ...datasets import Media
from ..record import as_kept
from ..runner import ActiveCases, MediaHold, MediaRoom, Slots
from ..trials import Exchange, Trial
from ._messages import Given, Work
from ._opened import Opened
from ._stand_in import StandIn

_MOST_AHEAD = 32
"""Trials that wait in a worker, so that it does not wait for the driver's next message."""


class _Lane:
    """Trials of targets that are examined together, as the driver gives them.

    Args:
        number: Cases under way at a time, at least 1.
        active: Does not count the lane while the driver has no trial for it.
    """

    def __init__(self, number: int, active: ActiveCases) -> None:
        self.slots = Slots(number, active)
        self._active = active
        # Of few cases at a time few wait: others may be free to take the next ones.
        self._ahead = min(_MOST_AHEAD, number)
        self._inbox = deque[Given]()
        self._taken = 0
        self._is_dry = self._closed = False
        self._changed: asyncio.Future[None] | None = None

    @property
    def takes(self) -> int:
        """How many trials it has room for, those that it was given included."""
        return self._taken + max(0, self._room)

    @property
    def _room(self) -> int:
        return self.slots.left + self._ahead - len(self._inbox)

    def is_hungry(self, told: int) -> bool:
        """Whether it will soon be idle and the driver does not know how much room it has.

        Args:
            told: What the driver knows of `takes`.
        """
        few = len(self._inbox) <= self._ahead // 4
        return few and self.takes - told >= self._ahead // 2 + 1

    def put(self, given: Sequence[Given]) -> None:
        """Take trials in."""
        self._inbox += given
        self._taken += len(given)
        if given:
            self._is_dry = False
        self._change()

    def dry_up(self) -> None:
        """Take down that there is no trial for it now."""
        self._is_dry = True
        self._change()

    def close(self) -> None:
        """Take down that no trial will follow."""
        self._closed = True
        self._change()

    def _change(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    async def next(self) -> Given | None:
        """Return the next trial, None where none will follow."""
        while not self._inbox:
            if self._closed:
                return None
            self._changed = asyncio.get_running_loop().create_future()
            if not self._is_dry:
                await self._changed
                continue
            with self._active.waiting():
                await self._changed
        return self._inbox.popleft()


class Lanes:
    """Examines trials as they come, so many at once as a worker may.

    Args:
        lanes: Names of targets that are examined together.
        cases: How many of each lane may be under way.
        opened: What examines them.
        stand_in: Collects what comes of them.
        hurry: Called when there is more room for trials.
    """

    def __init__(
        self,
        lanes: Sequence[Sequence[str]],
        cases: int,
        opened: Opened,
        stand_in: StandIn,
        hurry: Callable[[], None],
    ) -> None:
        self._active = ActiveCases()
        self._lanes = [_Lane(cases, self._active) for _ in lanes]
        self._media = MediaRoom(most_media_bytes(opened.limits))
        self._opened = opened
        self._stand_in = stand_in
        self._hurry = hurry
        self._told = [0 for _ in lanes]
        self.under_way = 0

    @property
    def takes(self) -> list[int]:
        """How many trials each lane has room for, those that it was given included."""
        return [lane.takes for lane in self._lanes]

    def tell(self) -> list[int]:
        """Return `takes`, which the driver then knows."""
        self._told = self.takes
        return self._told

    @property
    def is_hungry(self) -> bool:
        """Whether a lane will soon be idle, and the driver does not know."""
        told = zip(self._lanes, self._told, strict=True)
        return any(lane.is_hungry(known) for lane, known in told)

    def take_in(self, work: Work) -> None:
        """Take in what the driver says."""
        for number, given in work.given.items():
            self._lanes[number].put(given)
        for number in work.dry:
            self._lanes[number].dry_up()
        if work.closed:
            for lane in self._lanes:
                lane.close()

    async def work(self) -> None:
        """Examine all trials until no more follow.

        Raises:
            FirstContactError: A model never answered.
        """
        self._active.watch(self._opened.models.registry.held_calls)
        async with first_failure(), asyncio.TaskGroup() as group:
            for lane in self._lanes:
                self._active.enter()
                group.create_task(self._examine_lane(lane))

    async def _examine_lane(self, lane: _Lane) -> None:
        """Examine trials; the caller has counted this task as active."""
        async with asyncio.TaskGroup() as group:
            while (given := await lane.next()) is not None:
                case_id = given.trial.case_id
                self._active.start(group, lane.slots, case_id, partial(self._examine, given))
                await lane.slots.free()
            self._active.leave()

    async def _examine(self, given: Given) -> None:
        case_id = given.trial.case_id
        self.under_way += 1
        try:
            with self._media.hold(self._active.waiting) as hold:
                await self._ask_and_judge(given, hold)
        finally:
            self.under_way -= 1
            self._opened.end(given)
            self._stand_in.end(case_id)
            if self.is_hungry:
                self._hurry()

    async def _ask_and_judge(self, given: Given, hold: MediaHold) -> None:
        examiner, case_id = self._opened.examiner, given.trial.case_id
        trial = await self._opened.begin(given, hold)
        if given.query.media:
            self._stand_in.note_placed(case_id)
        exchange = None
        if given.exchange is not None:
            exchange = self._opened.placed(given, _exchange(given.exchange))
        self._stand_in.begin(case_id, given.calls, _media_of(given, exchange))
        try:
            if not given.kept or exchange is None:
                with self._active.waiting():
                    await examiner.begin(trial)
            if exchange is None:
                exchange = await examiner.ask(trial, hold)
                if given.kept:
                    exchange = as_kept(exchange)
                    self._stand_in.write_response(case_id, exchange)
        except OutageError as error:
            self._stand_in.leave(case_id, str(error), outage=True, asked=False)
        except BudgetError as error:
            self._stand_in.leave(case_id, str(error), outage=False, asked=False)
        else:
            await self._judge(trial, exchange, hold)

    async def _judge(self, trial: Trial, exchange: Exchange, hold: MediaHold) -> None:
        case_id = trial.case_id
        try:
            result = await self._opened.examiner.judge(trial, exchange, hold)
        except OutageError as error:
            self._stand_in.leave(case_id, str(error), outage=True, asked=True)
        except BudgetError as error:
            self._stand_in.leave(case_id, str(error), outage=False, asked=True)
        else:
            # An outage that shows later would have cost it a call.
            doubtful = self._active.is_doubtful(case_id)
            self._stand_in.finish(case_id, result, doubtful=doubtful)


def _media_of(given: Given, exchange: Exchange | None) -> list[Media]:
    """Return the media of a trial that the run has."""
    sent = None if exchange is None else exchange.response.sent
    return [*given.query.media, *(() if sent is None else sent.media)]


def _exchange(data: str) -> Exchange:
    return msgspec.json.decode(data, type=Exchange)
