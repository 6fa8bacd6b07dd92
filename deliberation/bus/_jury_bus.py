"""A jury on its bus: the foreperson's and the seats' agents, and who listens to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...agents import Ballot, BallotCall, Case, Remark, RemarkCall, SeatAgent
from ...datasets.media import hold_media
from ..protocol import (
    Entry,
    Foreperson,
    Heard,
    HeardCases,
    Notice,
    Place,
    Published,
    TalkAudit,
    Verdict,
)
from ._agent import Address, Line
from ._entry_messages import EntryMessages
from ._gate import Gate
from ._guest import Guest
from ._hearing import Hearing
from ._hearing_seat import HEARING, BallotAsked, HearingSeat, RemarkAsked
from ._request_bus import RequestBus, current_key

TRANSCRIPT = "transcript"
"""The topic of the numbered entries, for the record and the views."""
PROGRESS = "progress"
"""The topic of fleeting notices, for a live view."""
SEAT = "seat"
"""The kind of the seats on the bus; a seat's key is its name."""
_FOREPERSON = Address("foreperson", "jury")


@dataclass(frozen=True, slots=True, repr=False)
class OpenCase:
    """Message: hear this case.

    Attributes:
        case: The case.
        kept: What jurors have answered in it, and where more is kept; None keeps nothing.
    """

    case: Case
    kept: Hearing | None = None


class _BusFloor:
    """Reaches the seats, and whoever follows the transcript, by the bus."""

    def __init__(self, bus: "JuryBus", line: Line, kept: Hearing | None) -> None:
        self._bus = bus
        self._line = line
        self._kept = kept
        self._messages = None if bus.guest is None else EntryMessages(bus.guest.source)

    async def publish(self, entry: Entry) -> None:
        if self._bus.gate.is_shut:
            await self._bus.gate.passed()
        await self._line.publish(Published(entry), self._bus.transcript)
        if self._messages is not None and (guest := self._bus.guest) is not None:
            await guest.publish(self._messages.of(entry))

    async def notify(self, notice: Notice) -> None:
        if self._bus.live:
            await self._line.publish(Published(notice), self._bus.progress)

    async def broadcast(self, message: Heard) -> None:
        await self._line.publish(Published(message), self._bus.hearing)

    def close(self, hearing: int, number: int) -> None:
        self._bus.heard.forget(hearing, number)

    async def call(self, call: BallotCall, place: Place) -> Ballot:
        if self._bus.gate.is_shut:
            await self._bus.gate.passed()
        if self._kept is None:
            return await self._ask(call, place)
        kept, key = self._kept.ballots, (call.round, place.seat)
        if key not in kept:
            kept[key] = await self._ask(call, place)
        return kept[key]

    async def _ask(self, call: BallotCall, place: Place) -> Ballot:
        message = BallotAsked(call, place) if place.heard else call
        return await self._line.ask(message, Address(self._bus.seat, place.seat), Ballot)

    async def call_remark(self, call: RemarkCall, place: Place) -> Remark:
        if self._bus.gate.is_shut:
            await self._bus.gate.passed()
        message, seat = RemarkAsked(call, place), Address(self._bus.seat, place.seat)
        kept, key = {} if self._kept is None else self._kept.remarks, (call.round, call.turn)
        if key not in kept:
            kept[key] = await self._line.ask(message, seat, Remark)
        return kept[key]


class JuryBus(RequestBus):
    """The bus of one jury.

    Args:
        foreperson: Presides over each case.
        seats: Who sits there, by the seat's name.
        gate: Where it is shut, nobody is asked and nothing is said.
        live: Whether to publish fleeting notices.
        guest: See `RequestBus`; where it is one, what happens is also published as messages of
            AgentChat, on the guest's topic.
    """

    def __init__(
        self,
        foreperson: Foreperson,
        seats: Mapping[str, SeatAgent],
        gate: Gate,
        *,
        live: bool,
        guest: Guest | None = None,
    ) -> None:
        super().__init__(guest)
        self.gate, self.live, self.guest = gate, live, guest
        self.seat, self.hearing = self.name(SEAT), self.name(HEARING)
        self.transcript, self.progress = self.name(TRANSCRIPT), self.name(PROGRESS)
        self.heard = HeardCases()
        self._foreperson = foreperson
        self._seats = seats

    async def open(
        self, clerk: Callable[[Any], None], spectator: Callable[[Any], None] | None
    ) -> None:
        """Register all agents, and begin to deliver messages.

        Args:
            clerk: Is given each entry.
            spectator: Is given entries and notices; None for nobody.
        """
        await self.add(_FOREPERSON.kind, lambda _: self._preside, "presides, without a vote")
        await self.register(SEAT, self._make_seat)
        # What the seats hear is the same for all: it comes to them by one delivery.
        await self.listen("bench", self.heard.hear, HEARING)
        await self.listen("clerk", clerk, TRANSCRIPT)
        if spectator is not None:
            await self.listen("spectator", spectator, TRANSCRIPT, PROGRESS)
        self.start()
        if self.guest is None:
            await self.make(_FOREPERSON, *(Address(SEAT, name) for name in self._seats))

    async def hear(self, case: Case, kept: Hearing | None = None) -> Verdict:
        """Hear one case from opening to verdict.

        Args:
            case: The case.
            kept: See `OpenCase`.
        """
        return await self.ask(OpenCase(case, kept), _FOREPERSON, Verdict)

    def _make_seat(self) -> HearingSeat:
        name = current_key()
        return HearingSeat(self._seats[name], self.heard, name=name)

    async def audit(self, audit: TalkAudit) -> bool:
        """Let jurors vote again on a case that they discussed; see `audit_talk`."""
        return await self.ask(audit, _FOREPERSON, bool)

    async def _preside(self, message: OpenCase | TalkAudit, line: Line) -> Verdict | bool:
        said: Verdict | bool
        shown = hold_media(message.case.query.media)  # all jurors get what is read once
        if isinstance(message, TalkAudit):
            said = await self._foreperson.audit(message, _BusFloor(self, line, None))
        else:
            floor = _BusFloor(self, line, message.kept)
            said = await self._foreperson.preside(message.case, floor)
        del shown
        return said
