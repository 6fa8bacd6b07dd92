"""One case while it is heard: its numbered entries, and the calls to its jurors."""

from collections.abc import Sequence
from typing import Protocol

from ...agents import Ballot, BallotCall, Case
from ...common import in_parallel
from ._events import (
    BallotCalled,
    BallotSealed,
    BallotsRevealed,
    CaseOpened,
    Entry,
    Notice,
    VerdictAnnounced,
)
from ._verdict import Verdict


class Floor(Protocol):
    """Reaches the seats, and whoever follows the transcript."""

    async def publish(self, entry: Entry) -> None:
        """Publish an entry of the transcript."""
        ...

    async def notify(self, notice: Notice) -> None:
        """Publish a fleeting notice, where anybody watches."""
        ...

    async def call(self, seat: str, call: BallotCall) -> Ballot:
        """Return a seat's ballot.

        Raises:
            ConfigurationError: The caller must change something.
        """
        ...


class Sitting:
    """One case while it is heard: numbers its entries and calls its jurors.

    Args:
        case: The case.
        floor: Reaches the seats.

    Attributes:
        case: The case.
    """

    def __init__(self, case: Case, floor: Floor) -> None:
        self.case = case
        self._floor = floor
        self._number = -1

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

    async def call(self, seats: Sequence[str], calls: Sequence[BallotCall]) -> list[Ballot]:
        """Call ballots of several seats at once; return them in the given order."""
        return await in_parallel(
            self._call_one(seat, call) for seat, call in zip(seats, calls, strict=True)
        )

    async def _call_one(self, seat: str, call: BallotCall) -> Ballot:
        await self._floor.notify(BallotCalled(self.case.id, call.round, seat))
        ballot = await self._floor.call(seat, call)
        used = (ballot.usage, ballot.cost_usd, ballot.calls)
        await self._floor.notify(BallotSealed(self.case.id, call.round, seat, *used))
        return ballot

    async def reveal(
        self, number: int, ballots: tuple[Ballot, ...], not_asked: Sequence[str]
    ) -> tuple[Ballot, ...]:
        """Publish the ballots of a round, each with its seal, and return them.

        Args:
            number: The round's.
            ballots: Its ballots, in seat order.
            not_asked: Seats left out because the outcome was already fixed.
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
