"""A seat on the bus: it hears what is revealed and said, and answers from what it heard."""

from dataclasses import dataclass
from typing import Any

from autogen_core import AgentId, MessageContext, Subscription, TopicId

from ...agents import BallotCall, RemarkCall, Seat, SeatAgent
from ..protocol import Heard, HeardCases, Place
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


class SeatHears(Subscription):
    """Lets one seat hear; AutoGen's own would make a seat of each topic's source.

    Args:
        topic: What all seats hear, on the bus.
        kind: The kind of the seats on the bus.
        name: The seat's.
    """

    def __init__(self, topic: str, kind: str, name: str) -> None:
        self._topic = topic
        self._seat = AgentId(kind, name)

    @property
    def id(self) -> str:
        """What tells it from other subscriptions."""
        return f"{self._topic}/{self._seat}"

    def is_match(self, topic_id: TopicId) -> bool:
        """Return whether the seat hears what is published to a topic."""
        return topic_id.type == self._topic

    def map_to_agent(self, topic_id: TopicId) -> AgentId:
        """Return the seat."""
        return self._seat

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SeatHears) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)


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

    It keeps what is revealed and said in a case until the case ends, and answers a call from
    that, once it heard all that it must have.

    Args:
        agent: Who sits there.
        heard: Keeps what it hears.
        name: The seat's name.
    """

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any:
        """Hear, or answer in a task that ends with the caller's."""
        if isinstance(message, Heard):
            self._heard.hear(message)
            return None
        return await super().on_message_impl(message, ctx)
