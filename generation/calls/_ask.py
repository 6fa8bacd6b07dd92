"""Asks a model for a JSON object of a declared shape."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from ...agents import ReplyFailure, Unreadable, ask_model, json_objects
from ...datasets import Media
from ...models import ChatMessage, ChatRequest, ImagePart, JsonSchema, TextPart
from ..items import Origin
from ._models import NamedModel

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A reply that has the shape that was asked for.

    Attributes:
        value: What it said.
        origin: The call that returned it.
    """

    value: T
    origin: Origin


async def ask(
    member: NamedModel,
    prompt: str,
    shape: type[T],
    *,
    call_id: str,
    seed: int,
    max_tokens: int,
    images: Sequence[Media] = (),
    parents: Sequence[str] = (),
) -> Answer[T] | ReplyFailure:
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
    digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()
    origin = Origin(member.model.name, digest, seed, call_id, tuple(parents))
    said = await ask_model(member.model, request, lambda text: _shaped(text, shape))
    return said if isinstance(said, ReplyFailure) else Answer(said, origin)


def _shaped(text: str, shape: type[T]) -> T:
    """Return the first JSON object in a reply that has a shape."""
    problem = "it holds no JSON object"
    for _, value in json_objects(text):
        try:
            return shape.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    raise Unreadable(problem)
