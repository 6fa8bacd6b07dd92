"""A jury on its bus: the foreperson's and the seats' agents, and who listens to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...agents import Ballot, BallotCall, Case, Seat, SeatAgent
from ..protocol import Entry, Foreperson, Notice, Published, Verdict
from ._agent import Address, BusAgent, Line
from ._gate import Gate
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
        kept: What jurors have answered in it, by round and seat, and where more is kept; None
            keeps nothing.
    """

    case: Case
    kept: dict[tuple[int, str], Ballot] | None = None


class _SeatOnTheBus(BusAgent, Seat):
    """A seat whose failures travel as replies."""


class _BusFloor:
    """Reaches the seats, and whoever follows the transcript, by the bus."""

    def __init__(
        self, line: Line, gate: Gate, *, live: bool, kept: dict[tuple[int, str], Ballot] | None
    ) -> None:
        self._line = line
        self._gate = gate
        self._live = live
        self._kept = kept

    async def publish(self, entry: Entry) -> None:
        if self._gate.is_shut:
            await self._gate.passed()
        await self._line.publish(Published(entry), TRANSCRIPT)

    async def notify(self, notice: Notice) -> None:
        if self._live:
            await self._line.publish(Published(notice), PROGRESS)

    async def call(self, seat: str, call: BallotCall) -> Ballot:
        if self._gate.is_shut:
            await self._gate.passed()
        if self._kept is None:
            return await self._line.ask(call, Address(SEAT, seat), Ballot)
        if (ballot := self._kept.get((call.round, seat))) is None:
            ballot = await self._line.ask(call, Address(SEAT, seat), Ballot)
            self._kept[call.round, seat] = ballot
        return ballot


class JuryBus(RequestBus):
    """The bus of one jury.

    Args:
        foreperson: Presides over each case.
        seats: Who sits there, by the seat's name.
        gate: Where it is shut, nobody is asked and nothing is said.
        live: Whether to publish fleeting notices.
    """

    def __init__(
        self,
        foreperson: Foreperson,
        seats: Mapping[str, SeatAgent],
        gate: Gate,
        *,
        live: bool,
    ) -> None:
        super().__init__()
        self._foreperson = foreperson
        self._seats = seats
        self._gate = gate
        self._live = live

    async def open(
        self, clerk: Callable[[Any], None], spectator: Callable[[Any], None] | None
    ) -> None:
        """Register all agents, and begin to deliver messages.

        Args:
            clerk: Is given each entry.
            spectator: Is given entries and notices; None for nobody.
        """
        await self.runtime.register_factory(SEAT, self._make_seat)
        await self.add(_FOREPERSON.kind, lambda _: self._preside, "presides, without a vote")
        await self.listen("clerk", clerk, TRANSCRIPT)
        if spectator is not None:
            await self.listen("spectator", spectator, TRANSCRIPT, PROGRESS)
        self.start()

    async def hear(self, case: Case, kept: dict[tuple[int, str], Ballot] | None = None) -> Verdict:
        """Hear one case from opening to verdict.

        Args:
            case: The case.
            kept: See `OpenCase`.
        """
        return await self.ask(OpenCase(case, kept), _FOREPERSON, Verdict)

    def _make_seat(self) -> Seat:
        name = current_key()
        return _SeatOnTheBus(self._seats[name], name=name)

    async def _preside(self, message: OpenCase, line: Line) -> Verdict:
        floor = _BusFloor(line, self._gate, live=self._live, kept=message.kept)
        return await self._foreperson.preside(message.case, floor)
