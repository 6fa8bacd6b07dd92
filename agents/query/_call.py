"""Ask a model for numbered queries or scores, and read them from its reply."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from ...common.text import is_refusal
from ...models import ChatMessage, ChatModel, ChatRequest, JsonSchema, Sampling
from ..reply import ReplyFailure, Unreadable, ask_model, asked_schema, json_objects

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True, repr=False)
class QueryCall:
    """Asks for one item for each number.

    Attributes:
        prompt: All the words.
        numbers: What the items are to be numbered with, in order.
        call_id: Names the call within the set.
        seed: Seed for models that take one.
        matched: Whether an item counts only under its own number; else items are
            numbered in the order they come in.
    """

    prompt: str
    numbers: tuple[int, ...]
    call_id: str
    seed: int
    matched: bool = True

    def __repr__(self) -> str:
        # The bus may write each message into a log line, read or not.
        return f"<QueryCall {self.call_id!r}>"


@dataclass(frozen=True, slots=True, repr=False)
class QueryReply(Generic[T]):
    """What a model said to a call.

    Attributes:
        items: The items by their numbers; those that it left out are missing.
        refused: Items that were a refusal instead.
        unparsed: Items that could not be read, or carry no number that was asked for.
        surplus: Items beyond those that were asked for.
        failure: Why there is none, None where the reply could be read.
        unread: Replies before this one that could not be read.
        model: The model's name.
        prompt_sha256: Hash of the prompt.
        call_id: The call that returned it.
        seed: The seed that was sent.
    """

    items: Mapping[int, T] = field(default_factory=dict[int, T])
    refused: int = 0
    unparsed: int = 0
    surplus: int = 0
    failure: ReplyFailure | None = None
    unread: int = 0
    model: str = ""
    prompt_sha256: str = ""
    call_id: str = ""
    seed: int = 0

    def __repr__(self) -> str:
        return f"<QueryReply {self.call_id!r}>"


@dataclass(frozen=True, slots=True)
class ItemShape(Generic[T]):
    """How items stand in a reply: a list under a key.

    Attributes:
        key: The list's key.
        kind: One item.
        refuses: The words of an item that may be a refusal, None where it has none.
    """

    key: str
    kind: type[T]
    refuses: str | None = None

    def json_schema(self, count: int) -> JsonSchema:
        """Return the schema of a reply with up to `count` items."""
        items = {"type": "array", "items": asked_schema(self.kind), "maxItems": count}
        return JsonSchema(
            self.key,
            {
                "type": "object",
                "properties": {self.key: items},
                "required": [self.key],
                "additionalProperties": False,
            },
        )


class QueryWorker(Generic[T]):
    """Writes or scores queries with a model. It keeps no state: a call carries all it needs.

    Args:
        model: What it thinks with.
        sampling: How words are drawn.
        max_tokens: Cap on the tokens of one reply, at least 1.
    """

    SHAPE: ClassVar[ItemShape[Any]]
    """How items stand in a reply."""
    ATTEMPTS: ClassVar[int] = 1
    """How often the model is asked while nothing can be read, with another seed each time."""

    def __init__(
        self, model: ChatModel, *, sampling: Sampling | None = None, max_tokens: int = 1024
    ) -> None:
        self._model = model
        self._sampling = sampling or Sampling()
        self._max_tokens = max_tokens

    async def answer(self, call: QueryCall) -> QueryReply[T]:
        """Return the items of one call, or why there are none.

        Raises:
            BudgetError: The budget does not cover the call.
            FirstContactError: The model never answered once and waiting won't help.
        """
        reply = await self._ask(call, 0)
        for attempt in range(1, self.ATTEMPTS):
            if reply.failure is None or reply.failure.reason != "unparsed":
                break
            reply = await self._ask(call, attempt)
        return reply

    async def _ask(self, call: QueryCall, attempt: int) -> QueryReply[T]:
        request = ChatRequest(
            (ChatMessage.of("user", call.prompt),),
            self.SHAPE.json_schema(len(call.numbers)),
            self._sampling,
            call.seed + attempt,
            self._max_tokens,
            f"{call.call_id}/a{attempt}",
        )
        reply = await ask_model(self._model, request, lambda text: _read(text, call, self.SHAPE))
        return replace(
            QueryReply(failure=reply) if isinstance(reply, ReplyFailure) else reply,
            unread=attempt,
            model=self._model.name,
            prompt_sha256=hashlib.sha256(call.prompt.encode("utf-8", "surrogatepass")).hexdigest(),
            call_id=request.call_id,
            seed=call.seed + attempt,
        )


def _read(text: str, call: QueryCall, shape: ItemShape[T]) -> QueryReply[T]:
    entries = _entries(text, shape.key)
    if entries is None:
        raise Unreadable("it holds no JSON object")
    items: dict[int, T] = {}
    left_out = Counter(_take(entry, call, shape, items) for entry in entries)
    if entries and not items and not left_out["refused"]:
        problem = f"none of its {len(entries)} items can be read"
        return QueryReply(failure=ReplyFailure("unparsed", problem))
    return QueryReply(items, left_out["refused"], left_out["unparsed"], left_out["surplus"])


def _entries(text: str, key: str) -> Sequence[object] | None:
    """Return the items of a reply, None where it holds no JSON object.

    Of a reply that was cut short, the items before the cut.
    """
    objects = [value for _, value in json_objects(text)]
    for value in objects:
        entries = value.get(key)
        if isinstance(entries, list):
            return entries  # pyright: ignore[reportUnknownVariableType]
    return objects or None


def _take(
    entry: object, call: QueryCall, shape: ItemShape[T], items: dict[int, T]
) -> Literal["refused", "unparsed", "surplus"] | None:
    """Put an entry among the items, or return why it is none of them."""
    try:
        item = shape.kind.model_validate(entry)
    except ValidationError:
        return "unparsed"
    if shape.refuses is not None and is_refusal(str(getattr(item, shape.refuses))):
        return "refused"
    free = [number for number in call.numbers if number not in items]
    number = getattr(item, "number", None) if call.matched else free[0] if free else None
    if call.matched and len(call.numbers) == 1:
        number = call.numbers[0]  # nothing else can be meant
    if number not in free:
        return "unparsed" if call.matched else "surplus"
    items[number] = item
    return None
