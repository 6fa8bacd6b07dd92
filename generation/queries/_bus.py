"""The message bus of a dialogue: generator, judges and a coordinator."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from autogen_core import (
    AgentId,
    AgentInstantiationContext,
    MessageContext,
    rpc,
)

from ...agents import (
    ProposedQuery,
    QueryCall,
    QueryGenerator,
    QueryJudge,
    QueryReply,
    QueryScore,
)
from ...common import in_parallel
from ...deliberation import BusAgent, RequestBus
from ..pipeline import StageContext

T = TypeVar("T")
_GENERATOR, _JUDGE, _COORDINATOR = "generator", "judge", "coordinator"
_PLACE = "set"


class _AgentHost(BusAgent):
    """Puts an agent that writes or scores queries on the bus."""

    def __init__(self, worker: QueryGenerator | QueryJudge) -> None:
        super().__init__("works on queries for a safety test")
        self._worker = worker

    @rpc
    async def answer(self, message: QueryCall, ctx: MessageContext) -> Any:
        """Return the worker's `QueryReply`."""
        return await self._worker.answer(message)


@dataclass(frozen=True, slots=True)
class Judged:
    """One judge's reply to a call.

    Attributes:
        judge: The panel member's name.
        reply: What it said.
    """

    judge: str
    reply: QueryReply[QueryScore]


class Coordinator(BusAgent):
    """Base class of agents that coordinate dialogues of generator and panel.

    It keeps no state between messages: any number of dialogues may go on at once.

    Args:
        context: What it works with.
    """

    def __init__(self, context: StageContext) -> None:
        super().__init__("presides over the making of queries")
        self._judges = tuple(member.name for member in context.models.panel)
        self._slots = asyncio.Semaphore(context.concurrency)
        self.context = context

    @property
    def slots(self) -> asyncio.Semaphore:
        """Limits how many batches run at a time."""
        return self._slots

    async def ask_generator(
        self, call: QueryCall, ctx: MessageContext
    ) -> QueryReply[ProposedQuery]:
        """Return the generator's reply to a call."""
        return await self._ask(call, AgentId(_GENERATOR, _PLACE), ctx)

    async def ask_panel(
        self, call: Callable[[str], QueryCall], ctx: MessageContext
    ) -> Sequence[Judged]:
        """Return the reply of each judge, in the panel's order.

        Args:
            call: Makes the call for the judge of a name.
            ctx: What the coordinator was asked with.
        """
        replies: list[QueryReply[QueryScore]] = await in_parallel(
            self._ask(call(judge), AgentId(_JUDGE, str(number)), ctx)
            for number, judge in enumerate(self._judges)
        )
        return [Judged(judge, reply) for judge, reply in zip(self._judges, replies, strict=True)]

    async def _ask(self, call: QueryCall, who: AgentId, ctx: MessageContext) -> QueryReply[Any]:
        kind: type[QueryReply[Any]] = QueryReply
        return await self.ask(call, who, kind, ctx.cancellation_token)


class DialogueBus:
    """A message bus with a generator, a panel and a coordinator.

    Use it as an asynchronous context manager. Leaving it cancels what is under way.

    Args:
        context: Whose models take part.
        coordinator: Makes the coordinator.
    """

    def __init__(
        self, context: StageContext, coordinator: Callable[[StageContext], Coordinator]
    ) -> None:
        self._context = context
        self._coordinator = coordinator
        self._bus: RequestBus | None = None

    async def __aenter__(self) -> Self:
        bus = RequestBus()
        register = bus.runtime.register_factory
        await register(_GENERATOR, lambda: _AgentHost(self._generator()))
        await register(_JUDGE, lambda: _AgentHost(self._judge()))
        await register(_COORDINATOR, lambda: self._coordinator(self._context))
        bus.start()
        self._bus = bus
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._bus is not None
        bus, self._bus = self._bus, None
        await bus.aclose()

    async def ask_coordinator(self, message: object, kind: type[T]) -> T:
        """Return the coordinator's answer; cancelling the call cancels its model calls.

        Raises:
            BudgetError: The budget does not cover a call.
            FirstContactError: A model never answered once and waiting won't help.
        """
        assert self._bus is not None, "enter the bus with `async with` first"
        return await self._bus.ask(message, AgentId(_COORDINATOR, _PLACE), kind)

    def _generator(self) -> QueryGenerator:
        member, cap = self._context.models.generator, self._context.settings.max_tokens
        return QueryGenerator(member.model, sampling=member.sampling, max_tokens=cap)

    def _judge(self) -> QueryJudge:
        number = int(AgentInstantiationContext.current_agent_id().key)
        member, cap = self._context.models.panel[number], self._context.settings.max_tokens
        return QueryJudge(member.model, sampling=member.sampling, max_tokens=cap)
