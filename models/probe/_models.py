"""Probes the list of models."""

from dataclasses import dataclass

import msgspec

from ...common import ConfigurationError, FirstContactError
from ..endpoint import quoted
from ._http import Answer, ProbeClient
from ._result import Capability
from ._text import failed

_MOST_NAMED = 12


class _Meta(msgspec.Struct):
    n_ctx: int | None = None
    n_ctx_train: int | None = None


class ListedModel(msgspec.Struct):
    """A model in the list of models; servers name its context length differently."""

    id: str
    owned_by: str | None = None
    max_model_len: int | None = None
    context_length: int | None = None
    context_window: int | None = None
    max_context_length: int | None = None
    meta: _Meta | None = None

    @property
    def context_tokens(self) -> int | None:
        """Tokens that prompt and reply share, None if the list does not say."""
        meta = self.meta or _Meta()
        return (
            self.max_model_len
            or self.context_length
            or self.context_window
            or self.max_context_length
            or meta.n_ctx
            or meta.n_ctx_train
        )


class _Models(msgspec.Struct):
    data: list[ListedModel]


_models = msgspec.json.Decoder(_Models, strict=False)


@dataclass(frozen=True, slots=True)
class Listing:
    """The reply of `/models`.

    Attributes:
        models: Those that the server has, empty if it does not say.
        answer: What came back for it.
    """

    models: tuple[ListedModel, ...]
    answer: Answer

    def find(self, name: str) -> ListedModel | None:
        """Return one model, None if it is not listed."""
        return next((model for model in self.models if model.id == name), None)


async def listed(caller: ProbeClient) -> Listing:
    """Request the list of models, with `/v1` added if the address alone has none.

    Raises:
        FirstContactError: Nothing answers.
    """
    answer = await caller.get("models")
    if answer.status is None:
        raise FirstContactError(f"{caller.where}: no answer: {answer.problem}")
    if (models := _decoded(answer)) is not None:
        return Listing(models, answer)
    if caller.has_version:
        return Listing((), answer)
    given, caller.base = caller.base, caller.base / "v1"
    second = await caller.get("models")
    if (models := _decoded(second)) is not None:
        return Listing(models, second)
    if second.status not in (401, 403):
        caller.base = given
    return Listing((), answer)


def _decoded(answer: Answer) -> tuple[ListedModel, ...] | None:
    if answer.status != 200:
        return None
    try:
        return tuple(_models.decode(answer.body).data)
    except msgspec.DecodeError:
        return None


def model_to_ask(listing: Listing, caller: ProbeClient) -> str:
    """Return the only model in the list.

    Raises:
        ConfigurationError: One of several, or of none, has to be named.
    """
    names = [model.id for model in listing.models]
    if len(names) == 1:
        return names[0]
    if not names:
        said = f"the server lists no models ({listing.answer.problem or 'an empty list'})"
        raise ConfigurationError(f"{caller.where}: {said}; name one with --model")
    shown = ", ".join(map(quoted, names[:_MOST_NAMED]))
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    raise ConfigurationError(
        f"{caller.where}: the server lists {len(names)} models; name one with --model:"
        f" {shown}{more}"
    )


def about_models(listing: Listing, caller: ProbeClient) -> Capability:
    """Report which models are listed, and whether the requested one is."""
    if not listing.models:
        said = f"none are listed ({listing.answer.problem})" if listing.answer.problem else "none"
        if listing.answer.refused:
            return failed("models", listing.answer, said)
        return Capability("models", "no", said)
    names = [quoted(model.id) for model in listing.models[:_MOST_NAMED]]
    rest = len(listing.models) - len(names)
    said = ", ".join([*names, f"{rest} more"] if rest else names)
    asked = listing.find(caller.model)
    if asked is None:
        said = f"{quoted(caller.model)} is not among {said}"
        return Capability("models", "partly", said, listing.answer.request, said)
    owned = f"; owned by {quoted(asked.owned_by)}" if asked.owned_by else ""
    return Capability("models", "yes", said + owned)


def context_length(model: ListedModel | None) -> Capability:
    """Report how many tokens a prompt and its reply may have together."""
    if model is None or (tokens := model.context_tokens) is None:
        return Capability("context_length", "unknown", "the list of models does not say")
    return Capability("context_length", "yes", f"{tokens:,} tokens, prompt and reply together")
