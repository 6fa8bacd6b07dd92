"""Put any AgentChat agent on the jury."""

import asyncio
import time
from dataclasses import dataclass, replace

from autogen_agentchat.base import ChatAgent, Response
from autogen_agentchat.messages import StructuredMessage, TextMessage
from autogen_core import CancellationToken, MessageContext, RoutedAgent, message_handler

from ...common import ConfigurationError, OutageError
from ...models import Completion, Usage
from ..ballot import (
    ATTEMPTS,
    TEXT_ONLY,
    Ballot,
    BallotCall,
    BallotForm,
    BallotOutcome,
    CallMeter,
    NoBallot,
    Perceived,
    cast,
    cast_failure,
    correction,
    heard,
    in_words,
    juror_messages,
    parse_ballot,
    perceive,
    shown,
    task,
)
from ..personas import Persona
from ._ballot_caster import BallotCaster
from ._messages import BallotMessage, CallMessage

_SOURCE = "foreperson"
SeatAgent = ChatAgent
"""Who may take a seat: any AgentChat agent."""


class Seat(RoutedAgent):
    """A place on the jury for one AgentChat agent.

    A `Juror` or `HumanJuror` is asked by its method `judge`; another agent that produces
    `BallotMessage` is sent a `CallMessage`. Any other agent, such as an `AssistantAgent` with
    tools, reads the whole prompt as a text, answers in words, and is read like a juror. What
    its tools return is not its words (`AssistantAgent(reflect_on_tool_use=True)` says them
    itself). Such agents keep state: they are reset before each case and hear one at a time.

    Example:
        >>> await runtime.register_factory("sceptic", lambda: Seat(agent))
        >>> ballot = await runtime.send_message(BallotCall(case), AgentId("sceptic", "default"))

    Args:
        agent: Who sits there.
        name: The seat's name in ballots; None takes the agent's.
        persona: What an agent that is not a `Juror` is asked to look for.
    """

    def __init__(
        self, agent: ChatAgent, *, name: str | None = None, persona: Persona | None = None
    ) -> None:
        super().__init__(agent.description)
        self._agent = agent
        self._name = name or agent.name
        self._task = task(persona)
        self._one_at_a_time = asyncio.Lock()

    @message_handler
    async def call_ballot(self, message: BallotCall, ctx: MessageContext) -> Ballot:
        """Return the agent's ballot.

        Raises:
            ConfigurationError: The caller must change something, such as an address
                (`FirstContactError`).
        """
        token = ctx.cancellation_token
        if isinstance(self._agent, BallotCaster):
            _cancel_with(token)
            ballot = await self._agent.judge(message)
        elif BallotMessage in self._agent.produced_message_types:
            ballot = await self._by_message(message, token)
        else:
            async with self._one_at_a_time:
                return await self._in_words(message, token)
        return ballot if ballot.juror == self._name else replace(ballot, juror=self._name)

    async def _by_message(self, call: BallotCall, token: CancellationToken) -> Ballot:
        question = CallMessage.of(call, source=_SOURCE, to=self._name)
        response = await self._agent.on_messages((question,), token)
        said = response.chat_message
        if not isinstance(said, BallotMessage):
            raise ConfigurationError(
                f"seat {self._name!r}: the agent announced ballots but sent a {type(said).__name__}"
            )
        return said.content

    async def _in_words(self, call: BallotCall, token: CancellationToken) -> Ballot:
        perceived = perceive(call.case, TEXT_ONLY)
        meter = CallMeter(cost_usd=None)
        started = time.perf_counter()
        try:
            read = await self._converse(_Talk(call, perceived, meter, token))
        except (ConfigurationError, OutageError):
            raise
        except Exception as error:  # noqa: BLE001 - a stranger's agent may raise anything
            meter.latency_s = time.perf_counter() - started
            return cast_failure(self._name, call, error, perceived=perceived, meter=meter)
        meter.latency_s = time.perf_counter() - started
        return cast(self._name, call, read, perceived=perceived, meter=meter)

    async def _converse(self, talk: "_Talk") -> BallotForm | NoBallot:
        evidence = shown(talk.call, talk.perceived)
        words = in_words(juror_messages(talk.call, self._task, talk.perceived))
        await self._agent.on_reset(talk.token)
        read: BallotForm | NoBallot | None = None
        for _ in range(ATTEMPTS):
            question = TextMessage(content=words, source=_SOURCE)
            response = await self._agent.on_messages((question,), talk.token)
            _enter(talk.meter, response)
            read = _read(response, evidence, heard(talk.call))
            if not (isinstance(read, NoBallot) and read.may_retry):
                break
            words = correction(read)
        assert read is not None
        return read


def _cancel_with(token: CancellationToken) -> None:
    """Let a token cancel the current task, which the runtime made for one message."""
    task = asyncio.current_task()
    assert task is not None
    token.link_future(task)


@dataclass(frozen=True, slots=True)
class _Talk:
    """One conversation with an agent that is not a juror."""

    call: BallotCall
    perceived: Perceived
    meter: CallMeter
    token: CancellationToken


def _read(response: Response, evidence: str, peers: str) -> BallotForm | NoBallot:
    """Return the ballot in what an agent says itself: a tool's output is not its words."""
    said = response.chat_message
    if not isinstance(said, TextMessage | StructuredMessage):
        return NoBallot(
            BallotOutcome.UNPARSED, f"it is a {type(said).__name__}, not words of the agent"
        )
    # AutoGen does not say why the agent's model ended its reply.
    return parse_ballot(Completion(said.to_model_text(), "other"), evidence=evidence, peers=peers)


def _enter(meter: CallMeter, response: Response) -> None:
    """Enter what an agent reports of its calls: one for each message that has a usage."""
    usages = [
        message.models_usage
        for message in (*(response.inner_messages or ()), response.chat_message)
        if message.models_usage is not None
    ]
    for usage in usages:
        meter.add_usage(Usage(usage.prompt_tokens, None, usage.completion_tokens))
    if not usages:
        meter.add_usage(Usage())
