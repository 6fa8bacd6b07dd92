"""One case while it is heard: its numbered entries, and the calls to its jurors."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Protocol

from ...agents import Ballot, BallotCall, Case, Remark, RemarkCall, Spoken, Statement
from ...common import in_parallel
from ._events import (
    BallotCalled,
    BallotSealed,
    BallotsRevealed,
    CaseOpened,
    Entry,
    Notice,
    RemarkCalled,
    RemarkMade,
    VerdictAnnounced,
)
from ._hearing import Heard, Place
from ._verdict import Verdict

_HEARINGS = count()


class Floor(Protocol):
    """Reaches the seats, and whoever follows the transcript."""

    async def publish(self, entry: Entry) -> None:
        """Publish an entry of the transcript."""
        ...

    async def notify(self, notice: Notice) -> None:
        """Publish a fleeting notice, where anybody watches."""
        ...

    async def broadcast(self, message: Heard) -> None:
        """Let all seats hear something of a case."""
        ...

    def close(self, hearing: int, number: int) -> None:
        """Let all seats forget a case.

        Args:
            hearing: Number of its hearing.
            number: How many messages there were of it.
        """
        ...

    async def call(self, call: BallotCall, place: Place) -> Ballot:
        """Return a seat's ballot, given from what it heard.

        Raises:
            ConfigurationError: The caller must change something.
        """
        ...

    async def call_remark(self, call: RemarkCall, place: Place) -> Remark:
        """Return what came of a seat's turn to speak.

        Raises:
            ConfigurationError: The caller must change something.
        """
        ...


class Sitting:
    """One case while it is heard: numbers its entries and calls its jurors.

    Args:
        case: The case.
        floor: Reaches the seats.
        seed: The run's.

    Attributes:
        case: The case.
    """

    def __init__(self, case: Case, floor: Floor, *, seed: int = 0) -> None:
        self.case = case
        self._floor = floor
        self._seed = seed
        self._number = -1
        self._hearing = next(_HEARINGS)
        self._heard = 0  # messages that the seats heard of the case
        self._aliases: Mapping[str, str] = {}

    def next(self) -> int:
        """Return the number of the next entry, from 0."""
        self._number += 1
        return self._number

    async def open(self) -> None:
        """Publish that the case is opened."""
        await self.publish(CaseOpened(self.case.id, self.next(), self.case))

    async def publish(self, entry: Entry) -> None:
        """Publish an entry of the transcript."""
        await self._floor.publish(entry)

    async def let_hear(
        self, ballots: Sequence[Ballot], number: int, aliases: Mapping[str, str]
    ) -> None:
        """Let all seats hear the votes of a round, without a name.

        Args:
            ballots: The round's, in seat order.
            number: The round's.
            aliases: By seat, the names by which jurors know each other in this case.
        """
        self._aliases = aliases
        votes = tuple((aliases[one.juror], Statement.of(one)) for one in ballots)
        await self._broadcast(number, votes)

    async def _broadcast(
        self, number: int, said: tuple[tuple[str, Statement | None], ...] | Spoken
    ) -> None:
        heard = Heard(self._hearing, self._heard, number, said)
        self._heard += 1  # before it is on its way: whoever cancels it now has it forgotten
        await self._floor.broadcast(heard)

    def close(self) -> None:
        """Let all seats forget the case, and keep nothing that was made of it for them."""
        self.case.drop()
        if self._heard:
            self._floor.close(self._hearing, self._heard)

    def _place(self, seat: str, *, at_roundtable: bool = False) -> Place:
        alias = self._aliases.get(seat, "")
        return Place(seat, alias, self._heard, self._seed, at_roundtable, self._hearing)

    async def call(
        self, seats: Sequence[str], calls: Sequence[BallotCall], *, at_roundtable: bool = False
    ) -> list[Ballot]:
        """Call ballots of several seats at once; return them in the given order."""
        places = (self._place(seat, at_roundtable=at_roundtable) for seat in seats)
        return await in_parallel(
            self._call_one(call, place) for call, place in zip(calls, places, strict=True)
        )

    async def _call_one(self, call: BallotCall, place: Place) -> Ballot:
        await self._floor.notify(BallotCalled(self.case.id, call.round, place.seat))
        ballot = await self._floor.call(call, place)
        used = (ballot.usage, ballot.cost_usd, ballot.calls)
        await self._floor.notify(BallotSealed(self.case.id, call.round, place.seat, *used))
        return ballot

    async def call_remark(self, seat: str, call: RemarkCall) -> Remark:
        """Give a seat its turn to speak, and let all others hear what it says."""
        await self._floor.notify(RemarkCalled(self.case.id, call.round, call.turn, seat))
        remark = await self._floor.call_remark(call, self._place(seat, at_roundtable=True))
        to = next((name for name, alias in self._aliases.items() if alias == remark.to), None)
        remark = replace(remark, to_juror=to)
        await self.publish(RemarkMade(self.case.id, self.next(), remark))
        if remark.spoken is not None:
            await self._broadcast(call.round, remark.spoken)
        return remark

    async def reveal(
        self, number: int, ballots: tuple[Ballot, ...], not_asked: Sequence[str]
    ) -> tuple[Ballot, ...]:
        """Publish the ballots of a round, each with its seal, and return them.

        Args:
            number: The round's.
            ballots: Its ballots, in seat order.
            not_asked: Seats left out because the outcome was fixed, or all but sure.
        """
        seals = tuple(ballot.seal() for ballot in ballots)
        await self.publish(
            BallotsRevealed(self.case.id, self.next(), number, ballots, seals, tuple(not_asked))
        )
        return ballots

    async def announce(self, verdict: Verdict) -> Verdict:
        """Publish the verdict, the case's last entry, and return it."""
        await self.publish(VerdictAnnounced(self.case.id, self.next(), verdict))
        return verdict
