"""Open a jury on its bus: an AutoGen runtime with a foreperson, seats and listeners."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from autogen_agentchat.base import ChatAgent
from autogen_core import (
    AgentId,
    AgentInstantiationContext,
    MessageContext,
    RoutedAgent,
    TopicId,
    TypeSubscription,
    event,
)

from ..agents import Case, Rubric, Seat
from ..models import ChatModel, Sampling
from .bus import BusAgent, RequestBus
from .protocol import (
    PROGRESS,
    SEAT,
    TRANSCRIPT,
    Entry,
    Foreperson,
    Notice,
    OpenCase,
    Protocol,
    Published,
    Verdict,
)

_FOREPERSON = AgentId("foreperson", "jury")


class _SeatOnTheBus(BusAgent, Seat):
    """A seat whose failures travel as replies."""


class _Listener(RoutedAgent):
    """Hands what is published to a function, in the order of publication."""

    def __init__(self, listen: Callable[[Any], None], failed: Callable[[Exception], None]) -> None:
        super().__init__("listens to the jury")
        self._listen = listen
        self._failed = failed

    @event
    async def on_entry(self, message: Published, ctx: MessageContext) -> None:
        try:
            self._listen(message.said)
        except Exception as error:  # noqa: BLE001 - the runtime would drop it; `hear` raises it
            self._failed(error)


class Jury:
    """Hears any number of cases at once, each to its verdict.

    Use it as an asynchronous context manager. Leaving it waits for nothing: cases
    under way are canceled and their agents have ended when it returns.

    Args:
        seats: The jurors by seat name: any AgentChat agents.
        protocol: How they deliberate.
        foreperson: Model for the summing-up; None leaves it out.
        summing: How its words are drawn; greedy where that says nothing.
        seed: Decides the order in which jurors are asked, where not all are, and read
            each other; the summing-up's as well.
        clerk: Is given each transcript entry, in order; must be quick. What it
            raises ends the hearings. A case's last entry comes before its verdict
            is returned.
        spectator: Is given entries and fleeting notices, for a live view.
        rubric: What jurors judge by, None for the bundled rubric.

    Raises:
        ConfigurationError: The protocol does not fit the number of seats.
    """

    def __init__(
        self,
        seats: Mapping[str, ChatAgent],
        protocol: Protocol,
        *,
        foreperson: ChatModel | None = None,
        summing: Sampling | None = None,
        seed: int = 0,
        clerk: Callable[[Entry], None] | None = None,
        spectator: Callable[[Entry | Notice], None] | None = None,
        rubric: Rubric | None = None,
    ) -> None:
        protocol.check(len(seats))
        self._seats = dict(seats)
        self._protocol = protocol
        self._foreperson = foreperson
        self._summing = summing
        self._seed = seed
        self._clerk = clerk
        self._spectator = spectator
        self._rubric = rubric
        self._bus: RequestBus | None = None
        self._broken: Exception | None = None

    @property
    def seats(self) -> Sequence[str]:
        """Names of the seats."""
        return tuple(self._seats)

    async def __aenter__(self) -> Self:
        # `register_factory` adds no message serializers, so nothing is turned into
        # JSON for the runtime's own log.
        bus = RequestBus()
        await bus.runtime.register_factory(SEAT, self._make_seat)
        await bus.runtime.register_factory(_FOREPERSON.type, self._make_foreperson)
        if self._clerk is not None:
            await self._listen(bus, "clerk", self._clerk, TRANSCRIPT)
        if self._spectator is not None:
            await self._listen(bus, "spectator", self._spectator, TRANSCRIPT, PROGRESS)
        bus.start()
        self._bus = bus
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._bus is not None
        bus, self._bus = self._bus, None
        await bus.aclose()

    async def hear(self, case: Case) -> Verdict:
        """Hear one case from opening to verdict.

        Canceling the call cancels the model calls of the case.

        Raises:
            FirstContactError: A juror's model never answered once.
            RuntimeError: The jury is not open.
            Exception: What the clerk or the spectator raised.
        """
        if self._bus is None:
            raise RuntimeError("the jury is not open: enter it with `async with` first")
        verdict = await self._bus.ask(OpenCase(case), _FOREPERSON, Verdict)
        if self._broken is not None:
            raise self._broken
        return verdict

    def _make_seat(self) -> Seat:
        name = AgentInstantiationContext.current_agent_id().key
        return _SeatOnTheBus(self._seats[name], name=name)

    def _make_foreperson(self) -> Foreperson:
        return Foreperson(
            self.seats,
            self._protocol,
            model=self._foreperson,
            summing=self._summing,
            seed=self._seed,
            live=self._spectator is not None,
            rubric=self._rubric,
        )

    async def _listen(
        self,
        bus: RequestBus,
        name: str,
        listen: Callable[[Any], None],
        *topics: TopicId,
    ) -> None:
        await bus.runtime.register_factory(name, lambda: _Listener(listen, self._break))
        for topic in topics:
            await bus.runtime.add_subscription(TypeSubscription(topic.type, name))

    def _break(self, error: Exception) -> None:
        self._broken = self._broken or error
