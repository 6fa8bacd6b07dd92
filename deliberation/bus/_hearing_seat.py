"""A seat on the bus: it hears what is revealed and said, and answers from what it heard."""

from dataclasses import dataclass
from typing import Any

from autogen_core import MessageContext

from ...agents import BallotCall, RemarkCall, Seat, SeatAgent
from ..protocol import HeardCases, Place
from ._agent import BusAgent

HEARING = "hearing"
"""The topic of what all seats hear."""


@dataclass(frozen=True, slots=True, repr=False)
class BallotAsked:
    """Message: give a ballot, from what you heard of the case."""

    call: BallotCall
    place: Place


@dataclass(frozen=True, slots=True, repr=False)
class RemarkAsked:
    """Message: it is your turn to speak, from what you heard of the case."""

    call: RemarkCall
    place: Place


class _Hearing(Seat):
    """A seat that hears the others."""

    def __init__(self, agent: SeatAgent, heard: HeardCases, *, name: str) -> None:
        super().__init__(agent, name=name)
        self._heard = heard

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any:
        if isinstance(message, BallotAsked | RemarkAsked):
            message = await self._heard.full(message.call, message.place)
        return await super().on_message_impl(message, ctx)


class HearingSeat(BusAgent, _Hearing):
    """A seat whose failures travel as replies, and that hears the others.

    It answers a call from what is revealed and said in a case, once all came that it must have
    heard.

    Args:
        agent: Who sits there.
        heard: Keeps what all seats hear.
        name: The seat's name.
    """

    _cancels_tasks = False  # that is a `BusAgent`'s
