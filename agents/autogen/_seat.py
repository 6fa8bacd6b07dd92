"""A place on the jury for an AgentChat agent."""

import asyncio
from dataclasses import replace
from typing import TypeGuard

from autogen_agentchat.base import ChatAgent
from autogen_core import CancellationToken, MessageContext, RoutedAgent, message_handler

from ...common import ConfigurationError
from ...models import redactor
from ..ballot import Ballot, BallotCall, with_checked_quotes
from ..talk import Remark, RemarkCall, passed
from ._any_agent import AnyAgent
from ._ballot_caster import BallotCaster
from ._messages import FOREPERSON, BallotMessage, CallMessage

SeatAgent = ChatAgent
"""Who takes a seat: an agent that gives ballots."""


class Seat(RoutedAgent):
    """A place on the jury for one AgentChat agent that gives ballots.

    A `Juror` or `HumanJuror` is asked by its method `judge`; another agent that produces
    `BallotMessage` is sent a `CallMessage`. `juror_of` makes a juror of any other agent.

    Example:
        >>> await runtime.register_factory("sceptic", lambda: Seat(juror))
        >>> ballot = await runtime.send_message(BallotCall(case), AgentId("sceptic", "default"))

    Args:
        agent: Who sits there.
        name: The seat's name in ballots; None takes the agent's.

    Raises:
        ConfigurationError: The agent gives no ballots.
    """

    _cancels_tasks = True
    """Whether a canceled message cancels the task in which it is handled."""

    def __init__(self, agent: SeatAgent, *, name: str | None = None) -> None:
        super().__init__(agent.description)
        self._agent = agent
        self._name = name or agent.name
        if not gives_ballots(agent):
            raise ConfigurationError(
                f"seat {self._name!r}: the agent gives no ballots: seat juror_of(agent, name)"
            )

    @message_handler
    async def call_ballot(self, message: BallotCall, ctx: MessageContext) -> Ballot:
        """Return the agent's ballot.

        Raises:
            ConfigurationError: The caller must change something, such as an address
                (`FirstContactError`).
        """
        token = ctx.cancellation_token
        if isinstance(self._agent, BallotCaster):
            self._cancel_with(token)
            ballot = await self._agent.judge(message)
        else:
            ballot = await self._by_message(message, token)
        return ballot if ballot.juror == self._name else replace(ballot, juror=self._name)

    @message_handler
    async def call_remark(self, message: RemarkCall, ctx: MessageContext) -> Remark:
        """Return what came of the agent's turn at the roundtable.

        An agent that is sent messages has nothing to say: there is none for a turn.

        Raises:
            ConfigurationError: The caller must change something.
        """
        if isinstance(self._agent, BallotCaster):
            self._cancel_with(ctx.cancellation_token)
            remark = await self._agent.speak(message)
            return remark if remark.juror == self._name else replace(remark, juror=self._name)
        return passed(self._name, message)

    def _cancel_with(self, token: CancellationToken) -> None:
        """Let a token cancel the current task, which the runtime made for one message."""
        if self._cancels_tasks:
            task = asyncio.current_task()
            assert task is not None
            token.link_future(task)

    async def _by_message(self, call: BallotCall, token: CancellationToken) -> Ballot:
        question = CallMessage.of(call, source=FOREPERSON, to=self._name)
        response = await self._agent.on_messages((question,), token)
        said = response.chat_message
        if not isinstance(said, BallotMessage):
            raise ConfigurationError(
                f"seat {self._name!r}: the agent announced ballots but sent a {type(said).__name__}"
            )
        return with_checked_quotes(redactor.redact_fields(said.content), call)


def gives_ballots(agent: AnyAgent) -> TypeGuard[SeatAgent]:
    """Return whether an agent answers a `CallMessage` with a ballot."""
    return isinstance(agent, ChatAgent) and (
        isinstance(agent, BallotCaster) or BallotMessage in agent.produced_message_types
    )
