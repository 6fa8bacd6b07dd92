"""Prepares trials for workers: their queries, what the record keeps of them, and their media."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sized
from dataclasses import replace

from ...datasets import Media, Query, with_media
from ...models import Charge
from ..plan import RunPlan
from ..record import RunRecord, as_stored
from ..runner import CaseWatcher, Stage
from ..trials import Exchange, Trial
from ._messages import Given
from ._pool import Pool


class OnTheWay:
    """Counts the bytes of media that workers were told of and don't have yet, by case."""

    def __init__(self) -> None:
        self.total = 0
        self._sizes = dict[str, int]()

    def sent(self, case_id: str, media: Iterable[Media]) -> None:
        """Count the media of a case."""
        if size := sum({one.sha256: one.size for one in media}.values()):
            self._sizes[case_id] = size
            self.total += size

    def arrived(self, case_id: str) -> None:
        """Count them no more: they are there, or nobody will fetch them."""
        self.total -= self._sizes.pop(case_id, 0)


class Giver:
    """Prepares trials.

    Args:
        plan: The run.
        record: Its record.
        pool: Makes media available to workers.
        watcher: Told of cases that begin.

    Attributes:
        on_the_way: The media that workers don't have yet.
    """

    def __init__(
        self,
        plan: RunPlan,
        record: RunRecord,
        pool: Pool,
        watcher: CaseWatcher | None,
    ) -> None:
        self._record = record
        self._stage = Stage(record, plan, shows=False)
        self._pool = pool
        self._watcher = watcher
        self._recorded = plan.recorded
        self._kept = {*plan.hosts, *plan.functions}
        self._shelf = OrderedDict[str, tuple[object, int]]()
        """Media that are at hand for the next trials; the nodes that had them keep them anyway."""
        self._shelved = 0
        self._turn = asyncio.Lock()
        self.on_the_way = OnTheWay()

    def has_room(self, under_way: Sized) -> bool:
        """Return whether a worker may have another trial now: their media may be large.

        Args:
            under_way: What it has under way; one that has nothing may always have one.
        """
        return not under_way or self.on_the_way.total < self._pool.room

    def is_answered(self, trial: Trial) -> bool:
        """Return whether the record keeps a response that is not judged."""
        return trial.target in self._kept and self._record.response(trial.case_id) is not None

    async def given(
        self, trial: Trial, charge: Charge, *, again: bool
    ) -> tuple[Given, dict[str, object]]:
        """Return a trial as a worker gets it, and references to its media.

        Args:
            trial: The trial.
            charge: About the most that it takes.
            again: Whether a worker had it before.
        """
        if self._watcher is not None:
            self._watcher.begun(trial)
        if again:
            self._record.commit()  # what the other worker reported of it
        has_calls = again or self._record.resumed
        put = await self._stage.put(trial)
        exchange = await self._exchange(trial, put)
        asked, sent = _without_places(replace(trial.query, variants=None)), _without_places(put)
        given = Given(
            trial=replace(trial, query=asked),
            put=None if sent == asked else sent,
            calls=self._record.stored_calls(trial.case_id) if has_calls else [],
            exchange=None if exchange is None else as_stored(exchange),
            kept=trial.target in self._kept,
            tokens=charge.tokens,
            usd=charge.usd,
        )
        self.on_the_way.sent(trial.case_id, put.media)
        return given, {one.sha256: await self._reference(one) for one in put.media}

    async def _exchange(self, trial: Trial, put: Query) -> Exchange | None:
        """Return the response where it is known without asking a worker."""
        if (recorded := self._recorded.get(trial.target)) is not None:
            call_id = f"{trial.case_id}/target"
            return Exchange(put, await recorded.respond(put, epoch=trial.epoch, call_id=call_id))
        return self._record.response(trial.case_id) if trial.target in self._kept else None

    async def _reference(self, media: Media) -> object:
        async with self._turn:  # several workers may be given the same one at a time
            if (found := self._shelf.get(media.sha256)) is not None:
                self._shelf.move_to_end(media.sha256)
                return found[0]
            while self._shelf and self._shelved + media.size > self._pool.room:
                _, (_, size) = self._shelf.popitem(last=False)
                self._shelved -= size
            reference = await self._pool.keep(await asyncio.to_thread(media.read))
            self._shelf[media.sha256] = reference, media.size
            self._shelved += media.size
            return reference


def _without_places(query: Query) -> Query:
    return with_media(query, lambda media: replace(media, path=""))
