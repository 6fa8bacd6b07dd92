"""Keeps what the seats of a jury hear of each other, until a case ends.

Messages may overtake each other on a bus. So each is numbered within its hearing: a seat knows
from its call how many it must have heard, and when it is to forget a hearing how many there were.
Hearings have numbers of their own, as cases of one id may be heard at the same time, or again.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from string import ascii_uppercase
from typing import overload

from ...agents import BallotCall, Conversation, RemarkCall, Spoken, Statement, shuffled_for


@dataclass(frozen=True, slots=True, repr=False)
class Heard:
    """Message to all seats: what is revealed or said, without the name of a seat.

    Attributes:
        hearing: Number of the hearing.
        number: Which of the hearing's messages it is, from 0.
        round: The round whose votes are revealed, or the vote that what is said comes before.
        said: The votes of a round by alias, in seat order, None for a ballot that is not one;
            or what a juror said.
    """

    hearing: int
    number: int
    round: int
    said: tuple[tuple[str, Statement | None], ...] | Spoken


@dataclass(frozen=True, slots=True)
class Place:
    """How a seat is addressed in one call.

    Attributes:
        seat: Its name.
        alias: The name by which the jurors know it in this case.
        heard: How many messages of the hearing it must have heard before it answers.
        seed: The run's.
        at_roundtable: Whether jurors know each other by alias, and what each said.
        hearing: Number of the hearing.
    """

    seat: str
    alias: str
    heard: int
    seed: int = 0
    at_roundtable: bool = False
    hearing: int = 0


def aliases_for(seats: Sequence[str], *, case_id: str, seed: int) -> dict[str, str]:
    """Return the names by which jurors know each other in one case: `Juror A` and so on.

    They are dealt out anew in each case, and again the same when the run is repeated.
    """
    shuffled = list(seats)
    random.Random(f"{seed}/{case_id}/aliases").shuffle(shuffled)
    dealt = {seat: f"Juror {_letters(number)}" for number, seat in enumerate(shuffled)}
    return {seat: dealt[seat] for seat in seats}


def _letters(number: int) -> str:
    rest, last = divmod(number, len(ascii_uppercase))
    return f"{_letters(rest - 1) if rest else ''}{ascii_uppercase[last]}"


@dataclass(slots=True)
class _HeardCase:
    """What the seats heard of one case."""

    heard: dict[int, Heard] = field(default_factory=dict[int, Heard])
    closed: int | None = None
    more: asyncio.Event = field(default_factory=asyncio.Event)


class HeardCases:
    """What the seats heard of the cases under way; nothing is kept of those that ended."""

    def __init__(self) -> None:
        self._cases: dict[int, _HeardCase] = {}

    def __len__(self) -> int:
        return len(self._cases)

    def hear(self, message: Heard) -> None:
        """Take in a message, in whatever order they come."""
        case = self._case(message.hearing)
        case.heard[message.number] = message
        self._drop_if_over(message.hearing, case)
        case.more.set()

    def forget(self, hearing: int, number: int) -> None:
        """Keep nothing of a case that ended, nor of what may yet come.

        Args:
            hearing: Number of its hearing.
            number: How many messages there were of it.
        """
        case = self._case(hearing)
        case.closed = number
        self._drop_if_over(hearing, case)

    def _case(self, hearing: int) -> _HeardCase:
        if (case := self._cases.get(hearing)) is None:
            case = self._cases[hearing] = _HeardCase()
        return case

    def _drop_if_over(self, hearing: int, case: _HeardCase) -> None:
        if case.closed is not None and len(case.heard) >= case.closed:
            del self._cases[hearing]

    @overload
    async def full(self, call: BallotCall, place: Place) -> BallotCall: ...
    @overload
    async def full(self, call: RemarkCall, place: Place) -> RemarkCall: ...
    async def full(self, call: BallotCall | RemarkCall, place: Place) -> BallotCall | RemarkCall:
        """Return a call with all that its seat heard, once it heard all it must have."""
        if not place.heard:
            return call
        case = self._case(place.hearing)
        while len(case.heard) < place.heard:
            case.more.clear()
            await case.more.wait()
        heard = [case.heard[number] for number in range(place.heard)]
        if isinstance(call, RemarkCall):
            return replace(call, conversation=_conversation(heard, place.alias))
        conversation = _conversation(heard, place.alias) if place.at_roundtable else None
        return call.having_heard(_peers(heard, place, call.case.id), conversation)


def _peers(heard: Sequence[Heard], place: Place, case_id: str) -> tuple[Statement, ...]:
    number, votes = _last_votes(heard)
    others = [said for alias, said in votes if said is not None and alias != place.alias]
    return shuffled_for(place.seat, others, case_id=case_id, number=number, seed=place.seed)


def _conversation(heard: Sequence[Heard], alias: str) -> Conversation:
    spoken = tuple(one.said for one in heard if isinstance(one.said, Spoken))
    _, votes = _last_votes(heard)
    return Conversation(alias, tuple(sorted(votes, key=_by_alias)), spoken)


def _by_alias(vote: tuple[str, Statement | None]) -> tuple[int, str]:
    return len(vote[0]), vote[0]


def _last_votes(heard: Sequence[Heard]) -> tuple[int, tuple[tuple[str, Statement | None], ...]]:
    return next(
        (one.round, one.said) for one in reversed(heard) if not isinstance(one.said, Spoken)
    )
