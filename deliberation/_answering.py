"""How agents on the bus answer: a failure is an answer too, and cancelling reaches them."""

import asyncio
from dataclasses import dataclass
from typing import Any, TypeVar

from autogen_core import MessageContext, RoutedAgent

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, repr=False)
class Failed:
    """Answer: the agent failed with this error."""

    error: Exception


@dataclass(frozen=True, slots=True, repr=False)
class _Answer:
    """Answer: what the agent returned. The bus writes it into a log line: so without it."""

    value: object


class Answering(RoutedAgent):
    """An agent that answers every message, and stops when its caller is cancelled.

    The runtime loses count of its messages when a handler fails for a caller that
    was cancelled meanwhile, and is then never idle again: so no failure reaches it.
    Nor does it cancel a handler whose message was cancelled.
    """

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any:
        """Handle a message in a task of its own, which the runtime made for it."""
        task = asyncio.current_task()
        assert task is not None
        ctx.cancellation_token.link_future(task)
        try:
            return _Answer(await super().on_message_impl(message, ctx))
        except Exception as error:  # noqa: BLE001 - raised again by `answered`
            return Failed(error)


def answered(answer: object, kind: type[_T]) -> _T:
    """Return what an agent answered.

    Raises:
        Exception: The agent's own failure.
    """
    if isinstance(answer, Failed):
        raise answer.error
    value = answer.value if isinstance(answer, _Answer) else answer
    assert isinstance(value, kind), f"{type(value).__name__} where {kind.__name__} was due"
    return value
