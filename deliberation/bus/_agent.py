"""Agents whose failures travel as replies, and that stop when their caller is canceled."""

import asyncio
from dataclasses import dataclass
from typing import Any, TypeVar

from autogen_core import AgentId, CancellationToken, MessageContext, RoutedAgent

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, repr=False)
class Failure:
    """A reply: the agent failed with this error."""

    error: Exception


class BusAgent(RoutedAgent):
    """An agent that replies to every message, and stops when its caller is canceled.

    The runtime loses count of its messages when a handler fails for a caller that
    was canceled meanwhile, and is then never idle again: so no failure reaches it.
    Nor does it cancel a handler whose message was canceled. What a handler returns is
    written into a log line by the runtime: its `str` must hold no words of a case.
    """

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any:
        """Handle a message in a task of its own, which the runtime made for it."""
        task = asyncio.current_task()
        assert task is not None
        ctx.cancellation_token.link_future(task)
        try:
            return await super().on_message_impl(message, ctx)
        except Exception as error:  # noqa: BLE001 - raised again by `reply_or_raise`
            return Failure(error)

    async def ask(
        self, message: object, whom: AgentId, kind: type[_T], token: CancellationToken
    ) -> _T:
        """Return another agent's reply.

        Args:
            message: What it is asked.
            whom: The agent.
            kind: Type of its reply.
            token: Cancels the call.

        Raises:
            Exception: The other agent's own failure.
        """
        reply: object = await self.send_message(message, whom, cancellation_token=token)
        return reply_or_raise(reply, kind)


def reply_or_raise(reply: object, kind: type[_T]) -> _T:
    """Return what an agent replied.

    Raises:
        Exception: The agent's own failure.
    """
    if isinstance(reply, Failure):
        raise reply.error
    assert isinstance(reply, kind), f"{type(reply).__name__} where {kind.__name__} was due"
    return reply
