"""The message bus of a dialogue: generator, judges and a coordinator."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from ...agents import (
    ProposedQuery,
    QueryCall,
    QueryGenerator,
    QueryJudge,
    QueryReply,
    QueryScore,
)
from ...common import in_parallel
from ...deliberation import Address, Handler, Line, RequestBus
from ..pipeline import StageContext

T = TypeVar("T")
_GENERATOR, _JUDGE, _COORDINATOR = "generator", "judge", "coordinator"
_PLACE = "set"


@dataclass(frozen=True, slots=True)
class Judged:
    """One judge's reply to a call.

    Attributes:
        judge: The panel member's name.
        reply: What it said.
    """

    judge: str
    reply: QueryReply[QueryScore]


class Coordinator(ABC):
    """Base class of agents that coordinate dialogues of generator and panel.

    It keeps no state between messages: any number of dialogues may go on at once.

    Args:
        context: What it works with.
    """

    def __init__(self, context: StageContext) -> None:
        self._judges = tuple(member.name for member in context.models.panel)
        self._slots = asyncio.Semaphore(context.concurrency)
        self.context = context

    @property
    def slots(self) -> asyncio.Semaphore:
        """Limits how many batches run at a time."""
        return self._slots

    @abstractmethod
    async def run(self, message: Any, line: Line) -> object:
        """Hold the dialogue that a message asks for.

        Args:
            message: The request.
            line: Reaches generator and judges.
        """

    async def ask_generator(self, call: QueryCall, line: Line) -> QueryReply[ProposedQuery]:
        """Return the generator's reply to a call."""
        return await self._ask(call, Address(_GENERATOR, _PLACE), line)

    async def ask_panel(self, call: Callable[[str], QueryCall], line: Line) -> Sequence[Judged]:
        """Return the reply of each judge, in the panel's order.

        Args:
            call: Makes the call for the judge of a name.
            line: Reaches the judges.
        """
        replies: list[QueryReply[QueryScore]] = await in_parallel(
            self._ask(call(judge), Address(_JUDGE, str(number)), line)
            for number, judge in enumerate(self._judges)
        )
        return [Judged(judge, reply) for judge, reply in zip(self._judges, replies, strict=True)]

    async def _ask(self, call: QueryCall, who: Address, line: Line) -> QueryReply[Any]:
        kind: type[QueryReply[Any]] = QueryReply
        return await line.ask(call, who, kind)


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
        works = "works on queries for a safety test"
        await bus.add(_GENERATOR, lambda _: _answering(self._generator()), works)
        await bus.add(_JUDGE, lambda key: _answering(self._judge(int(key))), works)
        presides = "presides over the making of queries"
        await bus.add(_COORDINATOR, lambda _: self._coordinator(self._context).run, presides)
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
        return await self._bus.ask(message, Address(_COORDINATOR, _PLACE), kind)

    def _generator(self) -> QueryGenerator:
        member, cap = self._context.models.generator, self._context.settings.max_tokens
        return QueryGenerator(member.model, sampling=member.sampling, max_tokens=cap)

    def _judge(self, number: int) -> QueryJudge:
        member, cap = self._context.models.panel[number], self._context.settings.max_tokens
        return QueryJudge(member.model, sampling=member.sampling, max_tokens=cap)


def _answering(worker: QueryGenerator | QueryJudge) -> Handler:
    async def answer(message: QueryCall, line: Line) -> object:
        return await worker.answer(message)

    return answer
