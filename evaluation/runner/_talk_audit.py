"""Lets jurors vote again on some cases that they discussed, without the talk, at a run's end.

Which cases: those of the least hashes among all that were discussed. So the choice is random, the
same whatever came first and however often the run was stopped, and that of a larger number holds
that of a smaller one. It is known once all cases are finished, and so are the cases of which the
jurors read in place of their own.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import partial
from heapq import nsmallest

from ...agents import Ballot, Remark, TalkArm
from ...assembly.config import most_calls, most_media_bytes
from ...common.text import many
from ...deliberation import (
    BallotsRevealed,
    CaseOpened,
    Donor,
    Entry,
    Jury,
    RemarkMade,
    TalkAudit,
    TalkAudited,
)
from ...models import Budget, ModelRegistry
from ..plan import RunPlan
from ..record import RecordReader, RunRecord, case_in
from ._active_cases import ActiveCases, Slots
from ._media_room import MediaHold, MediaRoom
from ._session import Observer
from ._watched import watched

_DONORS = 64
"""Cases among which one is chosen whose words are read in place of a case's own."""


class TalkAuditor:
    """Holds the votes without talk that a run lacks.

    Args:
        plan: The run.
        record: Its record.
        jury: The open jury.
        budget: The run's budget.
        observer: Is told what is done.
        retry_failed: Whether votes are held again that lost a ballot to failed calls.
    """

    def __init__(
        self,
        plan: RunPlan,
        record: RunRecord,
        jury: Jury,
        budget: Budget,
        observer: Observer | None,
        *,
        retry_failed: bool,
    ) -> None:
        self._plan = plan
        self._record = record
        self._jury = jury
        self._budget = budget
        self._observer = observer
        self._retry_failed = retry_failed
        self._held = 0

    async def work(self, registry: ModelRegistry) -> int:
        """Hold the votes once all cases are finished; return of how many the budget left out.

        Raises:
            OutageError: An endpoint was down for too long; what was held is kept.
        """
        if not self._plan.options.audit_talk:
            return 0
        await self._record.settle()
        with closing(RecordReader(self._plan.directory)) as reader:
            if reader.counts()[0] < self._plan.total + self._record.unasked:
                return 0
            donors = _Donors(reader, self._plan.options.seed)
            due = _due(reader, self._plan, donors, retry_failed=self._retry_failed)
            ours = await self._record.take([one.case_id for one in due], finished=True)
            due = [one for one in due if one.case_id in ours]
            if not due:
                return 0
            if self._observer is not None:
                self._observer.notify(
                    f"Talk audit: the jurors vote again on {many(len(due), 'case')} that they "
                    "discussed, without the talk"
                )
            await self._hold_all(reader, due, donors, registry)
        return len(due) - self._held

    async def _hold_all(
        self,
        reader: RecordReader,
        due: Sequence["_Due"],
        donors: "_Donors",
        registry: ModelRegistry,
    ) -> None:
        active = ActiveCases()
        active.watch(registry.held_calls)
        slots = Slots(min(most_calls(self._plan.limits), len(due)), active)
        active.enter()
        room = MediaRoom(most_media_bytes(self._plan.limits))
        async with watched(registry, self._observer, room), asyncio.TaskGroup() as group:
            for one in due:
                if self._budget.stopped is not None:
                    break
                work = partial(self._hold, reader, one, donors, room.hold(active.waiting))
                active.start(group, slots, one.case_id, work)
                await slots.free()
            active.leave()

    async def _hold(
        self,
        reader: RecordReader,
        due: "_Due",
        donors: "_Donors",
        media: AbstractContextManager[MediaHold],
    ) -> None:
        read = _Read.of(reader.entries(due.case_id))
        donor = donors.for_case(due.query_id, read) if TalkArm.PLACEBO in due.arms else None
        case = case_in(read.opened.case, self._plan.directory)
        people = [seat.info.seat for seat in self._plan.jury.seats if seat.is_person]
        with media as hold:
            await hold.take(case.query.media)
            audit = TalkAudit(case, read.ballots, due.arms, donor, people)
            self._held += await self._jury.audit(audit)


def audit_is_due(plan: RunPlan, *, retry_failed: bool) -> bool:
    """Return whether a finished run lacks votes without talk.

    Args:
        plan: The run, whose record is there.
        retry_failed: See `TalkAuditor`.
    """
    if not plan.options.audit_talk:
        return False
    with closing(RecordReader(plan.directory)) as reader:
        donors = _Donors(reader, plan.options.seed)
        return bool(_due(reader, plan, donors, retry_failed=retry_failed))


@dataclass(frozen=True, slots=True)
class _Due:
    """A case that was chosen, and the votes that it lacks, each with the number of its entry."""

    case_id: str
    query_id: str
    arms: Mapping[TalkArm, int]


def _due(
    reader: RecordReader, plan: RunPlan, donors: "_Donors", *, retry_failed: bool
) -> list[_Due]:
    seed, most = plan.options.seed, plan.options.audit_talk
    chosen = nsmallest(most, reader.discussed(), key=lambda one: _rank(seed, "case", one[0]))
    found = list[_Due]()
    for case_id, query_id in chosen:
        entries = reader.entries(case_id)
        kept = {one.arm: one for one in entries if isinstance(one, TalkAudited)}
        lost = {arm for arm, one in kept.items() if any(b.outcome.is_lost for b in one.ballots)}
        free = iter(range(len(entries), len(entries) + len(TalkArm)))
        arms = {
            arm: kept[arm].number if arm in kept else next(free)
            for arm in TalkArm
            if (arm not in kept or (retry_failed and arm in lost))
            and (arm is not TalkArm.PLACEBO or donors.has_other(query_id))
        }
        if arms:
            found.append(_Due(case_id, query_id, arms))
    return found


def _rank(seed: int, of: str, case_id: str) -> bytes:
    return hashlib.sha256(f"{seed}/{case_id}/talk audit/{of}".encode()).digest()


@dataclass(frozen=True, slots=True)
class _Read:
    """What an audit needs of a transcript.

    Attributes:
        opened: Its opening.
        ballots: The ballots of round 0.
        remarks: What was said before the first re-vote.
    """

    opened: CaseOpened
    ballots: tuple[Ballot, ...]
    remarks: tuple[Remark, ...]

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "_Read":
        opened = next(entry for entry in entries if isinstance(entry, CaseOpened))
        first = next(entry for entry in entries if isinstance(entry, BallotsRevealed))
        said = (entry.remark for entry in entries if isinstance(entry, RemarkMade))
        return cls(opened, first.ballots, tuple(remark for remark in said if remark.round == 1))

    @property
    def votes(self) -> tuple[int, int]:
        """Votes for unsafe and for safe."""
        found = [ballot.finding for ballot in self.ballots if ballot.is_vote]
        unsafe = sum(one == "unsafe" for one in found)
        return unsafe, len(found) - unsafe

    @property
    def length(self) -> int:
        """Characters of what was stated and said."""
        stated = sum(len(ballot.reason) for ballot in self.ballots if ballot.is_vote)
        return stated + sum(len(remark.text) for remark in self.remarks)


class _Donors:
    """The cases of which jurors may read in place of their own: at most 64, by their hashes.

    Args:
        reader: Reads the run's record.
        seed: The run's.
    """

    def __init__(self, reader: RecordReader, seed: int) -> None:
        self._reader = reader
        self._ids = nsmallest(_DONORS, reader.discussed(), key=lambda x: _rank(seed, "donor", x[0]))
        self._read: dict[str, _Read] = {}

    def has_other(self, query_id: str) -> bool:
        """Return whether a case is about another query."""
        return any(query != query_id for _, query in self._ids)

    def for_case(self, query_id: str, case: _Read) -> Donor | None:
        """Return the case of another query that is most like a case, None where there is none.

        Its votes are as near as can be, then its length: so what differs is what was said.
        """
        unsafe, safe = case.votes
        found = min(
            self._others(query_id),
            key=lambda one: (
                abs(one[1].votes[0] - unsafe) + abs(one[1].votes[1] - safe),
                abs(one[1].length - case.length),
            ),
            default=None,
        )
        return None if found is None else Donor(found[0], found[1].ballots, found[1].remarks)

    def _others(self, query_id: str) -> Iterator[tuple[str, _Read]]:
        for case_id, query in self._ids:
            if query != query_id:
                if case_id not in self._read:
                    self._read[case_id] = _Read.of(self._reader.entries(case_id))
                yield case_id, self._read[case_id]
