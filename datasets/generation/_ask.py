"""Asking a model for JSON of a shape, without taking anything else for it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from ...models import ChatMessage, ChatRequest, Completion, ImagePart, JsonSchema, TextPart
from .._errors import BudgetError, ModelError
from .._query import Media
from .._refusal import is_refusal
from ._cast import Member
from ._items import Origin

T = TypeVar("T", bound=BaseModel)
NoAnswerReason = Literal["refused", "filtered", "unparsed", "failed"]
_SCANNED = 65_536


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a model said, in the shape that was asked for.

    Attributes:
        value: What it said.
        origin: The call that returned it.
    """

    value: T
    origin: Origin


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why a model's reply is no answer.

    Attributes:
        reason: `refused` by the model, `filtered` by its provider, `unparsed`, or a call
            that `failed`.
        detail: One line.
        passing: Whether the same call may go well another time.
    """

    reason: NoAnswerReason
    detail: str
    passing: bool = False


async def ask(
    member: Member,
    prompt: str,
    shape: type[T],
    *,
    call_id: str,
    seed: int,
    max_tokens: int,
    images: Sequence[Media] = (),
    parents: Sequence[str] = (),
) -> Answer[T] | NoAnswer:
    """Ask a model once.

    Args:
        member: Who is asked.
        prompt: All the words.
        shape: The shape of the reply, whose JSON Schema is sent along.
        call_id: Names the call within the set, so that a repeated command finds it.
        seed: Sent along.
        max_tokens: Cap on the reply.
        images: Pictures before the words.
        parents: Items that the answer is made from.

    Raises:
        FirstContactError: The model never answered once and waiting won't help.
        BudgetError: The budget is spent: what was asked until then is kept.
    """
    parts = (*(ImagePart(image) for image in images), TextPart(prompt))
    request = ChatRequest(
        (ChatMessage("user", parts),),
        JsonSchema(shape.__name__.strip("_").lower(), shape.model_json_schema()),
        member.sampling,
        seed,
        max_tokens,
        call_id,
    )
    try:
        completion = await member.model.complete(request)
    except BudgetError:
        raise
    except ModelError as error:
        return NoAnswer("failed", str(error), error.may_pass)
    digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()
    origin = Origin(member.model.name, digest, seed, call_id, tuple(parents))
    return _read(completion, shape, origin)


def _read(completion: Completion, shape: type[T], origin: Origin) -> Answer[T] | NoAnswer:
    if completion.filtered:
        return NoAnswer("filtered", "the provider's filter stopped the reply")
    if completion.refusal:
        return NoAnswer("refused", _short(completion.refusal))
    problem = "it holds no JSON object"
    for value in _objects(completion.text):
        try:
            return Answer(shape.model_validate(value), origin)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    if is_refusal(completion.text):
        return NoAnswer("refused", _short(completion.text))
    return NoAnswer("unparsed", problem)


def _objects(text: str) -> list[object]:
    """Return the JSON objects in a reply that stand by themselves, in order."""
    decoder, found, start = json.JSONDecoder(), list[object](), 0
    text = text[:_SCANNED]
    while (start := text.find("{", start)) >= 0:
        try:
            value, start = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            start += 1
        else:
            found.append(value)
    return found


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:199]}…"
