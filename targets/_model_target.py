"""A target that calls a model: an endpoint, a provider's model or the embedded one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict

from ..common import BudgetError, DatasetError, ModelError
from ..datasets import Fitted, ImageFitter, Media, Query, with_images
from ..datasets.query import check_messages
from ..models import (
    ChatMessage,
    ChatModel,
    ChatRequest,
    Completion,
    Sampling,
    TextPart,
    Usage,
)
from ._response import Response, ResponseOutcome
from ._turns import chat_messages, withheld_of


class _Asked(TypedDict):
    """What a response says of how it was asked for."""

    max_tokens: int | None
    seed: int | None
    sampling: Sampling
    changes: tuple[str, ...]
    model: str


class ModelTarget:
    """Sends queries to a model, in the same way for every model.

    Of a text with its media pictures come first, so that servers can share their encoding;
    then the sound and the text. A conversation is sent turn by turn, as it is.
    A system prompt is sent only where one is given, as a product is deployed with it.

    Args:
        name: The target's name in the config.
        model: The model under test.
        max_tokens: Cap on the tokens of a response, the same for all targets.
        seed: Seed, the same for all targets.
        sampling: How words are drawn.
        fitting: Makes pictures fit the model's limits; None sends them as they are.
        system: The system prompt, None sends none.
    """

    def __init__(
        self,
        name: str,
        model: ChatModel,
        *,
        max_tokens: int,
        seed: int | None,
        sampling: Sampling,
        fitting: ImageFitter | None = None,
        system: str | None = None,
    ) -> None:
        self._name = name
        self._model = model
        self._max_tokens = max_tokens
        self._seed = seed
        self._sampling = sampling
        self._fitting = fitting
        self._system = system

    @property
    def name(self) -> str:
        """The target's name in the config."""
        return self._name

    def _with_system(self, asked: tuple[ChatMessage, ...]) -> tuple[ChatMessage, ...]:
        """Prepend the system prompt, merged into a system message if there is one."""
        if self._system is None:
            return asked
        if asked[0].role != "system":
            return ChatMessage.of("system", self._system), *asked
        theirs = asked[0].parts
        words = (self._system, *(part.text for part in theirs if isinstance(part, TextPart)))
        media = (part for part in theirs if not isinstance(part, TextPart))
        return replace(asked[0], parts=(TextPart("\n\n".join(words)), *media)), *asked[1:]

    async def respond(self, query: Query, *, epoch: int, call_id: str) -> Response:
        """Send a query to the model; see `Target.respond`."""
        seen = query.images if "image" in self._model.modalities else ()
        if self._fitting is not None and (excess := self._fitting.excess(seen)) is not None:
            return _not_asked(ResponseOutcome.NOT_PUT, f"not put: {excess}")
        try:
            if query.messages:
                check_messages(query.messages)
            fitted = await self._fitted(seen)
        except DatasetError as error:
            return _not_asked(ResponseOutcome.ERROR, str(error))
        taken = self._model.modalities
        withheld = withheld_of(query, taken)
        sent = with_images(query, fitted.images)
        request = ChatRequest(
            messages=self._with_system(chat_messages(sent, taken)),
            sampling=self._sampling,
            seed=None if self._seed is None else self._seed + epoch,
            max_tokens=self._max_tokens,
            call_id=call_id,
            keep_sent=True,
        )
        try:
            completion = await self._model.complete(request)
        except ModelError as error:
            return _failed(error, withheld, self._asked(request, fitted))
        return _response(completion, withheld, self._asked(request, fitted))

    def _asked(self, request: ChatRequest, fitted: Fitted) -> _Asked:
        return {
            "max_tokens": request.max_tokens,
            "seed": request.seed,
            "sampling": request.sampling,
            "changes": fitted.changes,
            "model": self._model.name,
        }

    async def aclose(self) -> None:
        """Close the model."""
        await self._model.aclose()

    async def _fitted(self, images: tuple[Media, ...]) -> Fitted:
        if self._fitting is None or not images:
            return Fitted(images)
        return await self._fitting.fitted(images)


def _not_asked(outcome: ResponseOutcome, why: str) -> Response:
    """Return the response for a query that was not sent."""
    return Response(outcome, "", detail=why, usage=Usage(0, 0, 0), cost_usd=0.0)


def _failed(error: ModelError, withheld: tuple[str, ...], asked: _Asked) -> Response:
    """Return the response for a failed call; one that was not processed costs nothing."""
    return Response(
        ResponseOutcome.ERROR,
        "",
        detail=str(error),
        usage=Usage(0, 0, 0),
        cost_usd=0.0 if error.unprocessed else None,
        notes=withheld,
        calls=0 if isinstance(error, BudgetError) else 1,
        **asked,
    )


def _response(completion: Completion, withheld: Sequence[str], asked: _Asked) -> Response:
    """Convert a completion to a response. A refusal in words counts as an answer."""
    text = completion.text
    if completion.refusal and not text.strip():
        text = completion.refusal
    outcome, detail = ResponseOutcome.ANSWERED, None
    if completion.filtered:
        outcome, detail = ResponseOutcome.FILTERED, "a provider's filter stopped the reply"
    elif completion.finish_reason == "length":
        outcome, detail = ResponseOutcome.TRUNCATED, "the reply reached the token limit"
    elif completion.is_empty:
        outcome, detail = ResponseOutcome.ERROR, "the reply was empty"
    return Response(
        outcome,
        text,
        detail=detail,
        finish_reason=completion.finish_reason,
        usage=completion.usage,
        latency_s=completion.latency_s,
        provider_model=completion.provider_model,
        cost_usd=completion.cost_usd,
        notes=(*withheld, *completion.notes),
        calls=completion.attempts,
        sent=completion.sent,
        **asked,
    )
