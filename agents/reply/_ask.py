"""Ask a model once, and return what its reply holds or why it holds nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from ...common import BudgetError, ModelError
from ...common.text import is_refusal, short
from ...models import ChatModel, ChatRequest, Completion

T = TypeVar("T")
ReplyFailureReason = Literal["refused", "filtered", "unparsed", "failed"]


@dataclass(frozen=True, slots=True)
class ReplyFailure:
    """Why a reply holds nothing that was asked for.

    Attributes:
        reason: `refused` by the model, `filtered` by its provider, `unparsed`, or a call
            that `failed`.
        detail: One line.
        passing: Whether the same call may go well another time.
    """

    reason: ReplyFailureReason
    detail: str
    passing: bool = False


class Unreadable(ValueError):
    """A reply's words hold nothing that was asked for; the message says what is wrong."""


async def ask_model(
    model: ChatModel, request: ChatRequest, read: Callable[[str], T]
) -> T | ReplyFailure:
    """Ask a model, and return what its reply holds or why it holds nothing.

    Args:
        model: Who is asked.
        request: What is asked.
        read: Returns what the words of a reply hold, and raises `Unreadable` where that is nothing.

    Raises:
        BudgetError: The budget does not cover the call.
        FirstContactError: The model never answered once and waiting won't help.
    """
    try:
        completion = await model.complete(request)
    except BudgetError:
        raise
    except ModelError as error:
        return ReplyFailure("failed", short(str(error)), error.may_pass)
    return _read(completion, read)


def _read(completion: Completion, read: Callable[[str], T]) -> T | ReplyFailure:
    if completion.filtered:
        return ReplyFailure("filtered", "the provider's filter stopped the reply")
    if completion.refusal:
        return ReplyFailure("refused", short(completion.refusal))
    try:
        return read(completion.text)
    except Unreadable as unreadable:
        # Only where nothing was found: what an answer quotes is no refusal.
        if is_refusal(completion.text):
            return ReplyFailure("refused", short(completion.text))
        return ReplyFailure("unparsed", str(unreadable))
