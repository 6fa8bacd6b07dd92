"""The bus: one AutoGen runtime with a foreperson, its jury, and who listens."""

import os
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, cast

from autogen_agentchat.base import ChatAgent
from autogen_core import (
    AgentId,
    CancellationToken,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TypeSubscription,
    event,
)

from ..agents import Case, Seat
from ..models import ChatModel
from ._events import (
    BallotCalled,
    BallotSealed,
    BallotsRevealed,
    CaseOpened,
    DiscussionOpened,
    Entry,
    Notice,
    SummedUp,
    VerdictAnnounced,
)
from ._foreperson import JURY_KEY, PROGRESS, TRANSCRIPT, Foreperson, OpenCase
from ._settings import Protocol
from ._verdict import Verdict

_FOREPERSON = "foreperson"


class _Listener(RoutedAgent):
    """Hands what is published to a function, in the order of publication."""

    def __init__(self, listen: Callable[[Any], None]) -> None:
        super().__init__("listens to the jury")
        self._listen = listen

    @event
    async def on_entry(
        self,
        message: CaseOpened
        | BallotsRevealed
        | DiscussionOpened
        | SummedUp
        | VerdictAnnounced
        | BallotCalled
        | BallotSealed,
        ctx: MessageContext,
    ) -> None:
        self._listen(message)


class Jury:
    """A jury on its bus: hears any number of cases at once.

    Use it as an asynchronous context manager. Leaving it waits for nothing: cases
    under way are cancelled and their agents have ended when it returns.

    Args:
        seats: The jurors by seat name: any AgentChat agents.
        protocol: How they deliberate.
        foreperson: Model for the summing-up; None leaves it out.
        seed: Decides the order in which jurors are asked and peers are shown.
        clerk: Is given each transcript entry, in order; must be quick.
        spectator: Is given entries and fleeting notices, for a live view.

    Raises:
        ConfigurationError: The protocol does not fit the number of seats.
    """

    def __init__(
        self,
        seats: Mapping[str, ChatAgent],
        protocol: Protocol,
        *,
        foreperson: ChatModel | None = None,
        seed: int = 0,
        clerk: Callable[[Entry], None] | None = None,
        spectator: Callable[[Entry | Notice], None] | None = None,
    ) -> None:
        protocol.check(len(seats))
        self._seats = dict(seats)
        self._protocol = protocol
        self._foreperson = foreperson
        self._seed = seed
        self._clerk = clerk
        self._spectator = spectator
        self._hearings: set[CancellationToken] = set()

    @property
    def seats(self) -> Sequence[str]:
        """Names of the seats."""
        return tuple(self._seats)

    async def __aenter__(self) -> Self:
        # Spans that nobody collects would cost a third of every message.
        os.environ.setdefault("AUTOGEN_DISABLE_RUNTIME_TRACING", "true")
        self._runtime = SingleThreadedAgentRuntime()
        for name, agent in self._seats.items():
            await self._register(name, lambda name=name, agent=agent: Seat(agent, name=name))
        await self._register(_FOREPERSON, self._make_foreperson)
        if self._clerk is not None:
            await self._listen("clerk", self._clerk, TRANSCRIPT.type)
        if self._spectator is not None:
            await self._listen("spectator", self._spectator, TRANSCRIPT.type, PROGRESS.type)
        self._runtime.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for hearing in tuple(self._hearings):
            hearing.cancel()
        await self._runtime.stop_when_idle()
        await self._runtime.close()

    async def hear(self, case: Case) -> Verdict:
        """Hear one case from opening to verdict.

        Cancelling the call cancels the model calls of the case.

        Raises:
            FirstContactError: A juror's model never answered once.
        """
        token = CancellationToken()
        self._hearings.add(token)
        try:
            answer = await self._runtime.send_message(
                OpenCase(case), AgentId(_FOREPERSON, JURY_KEY), cancellation_token=token
            )
        except BaseException:
            token.cancel()
            raise
        finally:
            self._hearings.discard(token)
        return cast(Verdict, answer)

    def _make_foreperson(self) -> Foreperson:
        return Foreperson(
            self.seats,
            self._protocol,
            model=self._foreperson,
            seed=self._seed,
            live=self._spectator is not None,
        )

    async def _register(self, name: str, make: Callable[[], RoutedAgent]) -> None:
        # `register_factory` adds no message serialisers, so nothing is turned into
        # JSON for the runtime's own log.
        await self._runtime.register_factory(name, make)

    async def _listen(self, name: str, listen: Callable[[Any], None], *topics: str) -> None:
        await self._register(name, lambda: _Listener(listen))
        for topic in topics:
            await self._runtime.add_subscription(TypeSubscription(topic, name))
