"""Agents and teams as users write them, for tests of seats; each is made by a function."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, cast

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response, TaskResult, Team
from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    ModelClientStreamingChunkEvent,
    TextMessage,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from autogen_core import CancellationToken, FunctionCall
from autogen_core.models import FunctionExecutionResult, RequestUsage
from pydantic import BaseModel

from safejury.agents import Case
from safejury.datasets import Intent, Media, Query
from safejury.targets import Response as Answer
from safejury.targets import ResponseOutcome
from safejury.testing import ballot

Streamed = AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]


def case(number: int = 0, images: tuple[Media, ...] = ()) -> Case:
    """Return a case whose words have its number."""
    asked = Query(
        f"q{number}", "consultation.legal_advice", f"How {number}?", Intent.HARMFUL, images
    )
    return Case(f"q{number}/t/0", asked, Answer(ResponseOutcome.ANSWERED, f"Thus {number}."))


class Parrot(BaseChatAgent):
    """Keeps all that it hears until it is reset, and answers by its script."""

    def __init__(self, name: str = "parrot", reply: str = "") -> None:
        super().__init__(name, "An agent of mine.")
        self.heard: list[BaseChatMessage] = []
        self.busy = 0
        self._reply = reply or ballot("unsafe", 2, "Mine.")

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    @property
    def words(self) -> str:
        return "\n".join(message.to_model_text() for message in self.heard)

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        self.busy += 1
        assert self.busy == 1, "asked twice at once"
        self.heard += messages
        await asyncio.sleep(0)
        self.busy -= 1
        usage = RequestUsage(prompt_tokens=10, completion_tokens=5)
        said = TextMessage(content=self._reply, source=self.name, models_usage=usage)
        return Response(chat_message=said)

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        self.heard.clear()


class Streaming(Parrot):
    """Streams what `stream` yields."""

    async def stream(self) -> AsyncGenerator[Any, None]:
        yield 1

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Streamed:
        async for said in self.stream():
            yield cast("BaseAgentEvent", said)


class Silent(Streaming):
    """Never answers."""

    async def stream(self) -> AsyncGenerator[Any, None]:
        await asyncio.Event().wait()
        yield 1


class Deaf(Streaming):
    """Never answers, and heeds neither its token nor its task for a while."""

    async def stream(self) -> AsyncGenerator[Any, None]:
        for _ in range(2):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue
        yield 1


class Raising(Streaming):
    """Fails."""

    async def stream(self) -> AsyncGenerator[Any, None]:
        raise ZeroDivisionError("by sk-aaaaaaaaaaaaaaaaaaaa")
        yield 1


class Exiting(Streaming):
    """Ends the process, as it thinks."""

    async def stream(self) -> AsyncGenerator[Any, None]:
        raise SystemExit(3)
        yield 1


class Babbling(Streaming):
    """Streams pieces, and then what is no message."""

    async def stream(self) -> AsyncGenerator[Any, None]:
        yield ModelClientStreamingChunkEvent(content="\x00\ufffd{", source=self.name)
        yield {"not": "a message"}


class Dripping(Streaming):
    """Streams pieces for ever, and lets nothing else run meanwhile."""

    async def stream(self) -> AsyncGenerator[Any, None]:
        piece = ModelClientStreamingChunkEvent(content="and ", source=self.name)
        while True:
            yield piece


class Chatty(Streaming):
    """Speaks for ever."""

    async def stream(self) -> AsyncGenerator[Any, None]:
        while True:
            yield TextMessage(content="And another thing.", source=self.name)


def called(number: int | str, arguments: str = "{}") -> ToolCallRequestEvent:
    """Return a call of the tool `look_up`."""
    call = FunctionCall(id=f"call-{number}", name="look_up", arguments=arguments)
    return ToolCallRequestEvent(content=[call], source="parrot")


def returned(number: int | str, result: str, *, failed: bool = False) -> ToolCallExecutionEvent:
    """Return what the tool returned for that call."""
    one = FunctionExecutionResult(
        content=result, name="look_up", call_id=f"call-{number}", is_error=failed
    )
    return ToolCallExecutionEvent(content=[one], source="parrot")


class Looping(Streaming):
    """Calls a tool for ever."""

    async def stream(self) -> AsyncGenerator[Any, None]:
        for number in itertools.count():
            yield called(number)
            yield returned(number, "nothing")


class Mute(Parrot):
    """Can hand over, and say nothing."""

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (HandoffMessage,)


class OwnTeam(Team):
    """A team of no particular kind, which stops without a message."""

    messages: tuple[BaseChatMessage, ...] = ()

    @property
    def name(self) -> str:
        return "quiet"

    @property
    def description(self) -> str:
        return "Says nothing."

    async def run(self, **_: Any) -> TaskResult:
        return TaskResult(messages=self.messages, stop_reason="nobody had anything to say")

    async def run_stream(self, **_: Any) -> AsyncGenerator[Any, None]:
        yield await self.run()

    async def reset(self) -> None: ...

    async def pause(self) -> None: ...

    async def resume(self) -> None: ...

    async def save_state(self) -> Mapping[str, Any]:
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None: ...

    def _to_config(self) -> BaseModel:
        raise NotImplementedError
