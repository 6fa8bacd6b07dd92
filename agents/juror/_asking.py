"""Ask a model, and once more where its reply cannot be read."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from ...models import ChatMessage, ChatModel, ChatRequest, Completion
from ..ballot import ATTEMPTS, CallMeter
from ..case import neutralize

_Read = TypeVar("_Read")
_REPLY_SHOWN_AGAIN = 1000


async def ask(
    model: ChatModel,
    request: ChatRequest,
    meter: CallMeter,
    read: Callable[[Completion], _Read],
    correct: Callable[[_Read], str],
) -> _Read:
    """Return what a model's last reply says.

    Args:
        model: Who is asked.
        request: What is asked first; its id ends with the attempt's number, 0.
        meter: Counts the calls.
        read: Reads a reply.
        correct: Returns what to ask where a reply cannot be read; empty where asking once more
            helps nothing.

    Raises:
        ModelError: A call failed.
    """
    attempt = 0
    while True:
        reply = await model.complete(request)
        meter.add(reply)
        found, attempt = read(reply), attempt + 1
        if attempt == ATTEMPTS or not (asked := correct(found)):
            return found
        messages = (*request.messages, *_said_and_asked(reply, asked))
        call_id = f"{request.call_id[:-1]}{attempt}"
        request = replace(request, messages=messages, call_id=call_id)


def _said_and_asked(completion: Completion, asked: str) -> tuple[ChatMessage, ChatMessage]:
    # Chat templates and servers reject turns that are empty.
    said = neutralize(completion.text[:_REPLY_SHOWN_AGAIN]).strip() or "(nothing)"
    return ChatMessage.of("assistant", said), ChatMessage.of("user", asked)
