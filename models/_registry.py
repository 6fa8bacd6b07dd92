"""Opens models from specs, with the limits, budget, cache and journal that a run shares."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Protocol, Self

from ..common import ConfigurationError
from ._spec import EMBEDDED_PREFIX, ModelSpec
from .chat import ChatModel, Price, redactor
from .middleware import (
    Breaking,
    Budget,
    Budgeted,
    Cached,
    FirstContact,
    HeldCalls,
    Journal,
    Journaled,
    Limited,
    Limiter,
    Place,
    PlaceLimits,
    ResponseCache,
    Retrying,
    RetryPolicy,
    SelfReported,
    Wait,
    with_options,
)


class ModelSource(Protocol):
    """Opens models, as a registry does."""

    def open(self, spec: ModelSpec) -> ChatModel:
        """Return the model of a spec; nothing is sent yet."""
        ...


class ModelHost(ModelSource, Protocol):
    """Opens models, and takes in those that have no spec."""

    def adopt(self, model: ChatModel, *, pays: bool) -> ChatModel:
        """Return a model that has no spec, such as an agent, as it takes part in the run.

        Args:
            model: The model; closed with all others.
            pays: Whether its calls are none of the run's models, so that it takes a place of
                its own in the limits, and the budget is charged what it says they took.
        """
        ...


class ModelRegistry:
    """Opens the models of a run and closes them all at the end.

    Equal specs share one model, models at one place share its limits, and all
    share one budget. Each model is wrapped, from the outside, in: options, journal, cache,
    breakers, first contact, retries, limits, budget. A call that waits for its endpoint
    to come back holds no budget meanwhile.

    Args:
        limits: The default limits of a place.
        places: Limits of places that have their own, by name.
        policy: How often failed calls are retried.
        outage_patience: Seconds to wait for an endpoint that is down; None lets its calls
            fail. Managed servers are restarted by their fleet instead, and waited for there.
        budget: The budget; None means no limit.
        cache: Completions cached across runs; the caller closes it.
        journal: Completions of calls of this run.
        managed: Opens the models of managed servers; None if there are none.
        kept_elsewhere: Whether another process restarts managed servers, so that calls are held
            here while one is away, as for any endpoint.
        answered: The specs of models that have answered before. Their address, key and name
            are right, so a failing first call is an outage.
        traced: Wraps a model in what records its calls, by its spec; None records none. What
            comes from the cache or the journal is no call.
        limiters: Makes the limiter of a place, by its name and limits, where other processes
            call it as well; None if none does.

    Attributes:
        budget: The budget.
        held_calls: The failed calls that are held; none unless a listener subscribes.
    """

    def __init__(
        self,
        *,
        limits: PlaceLimits | None = None,
        places: Mapping[str, PlaceLimits] | None = None,
        policy: RetryPolicy | None = None,
        outage_patience: float | None = None,
        budget: Budget | None = None,
        cache: ResponseCache | None = None,
        journal: Journal | None = None,
        managed: Callable[[ModelSpec], ChatModel] | None = None,
        kept_elsewhere: bool = False,
        answered: Collection[ModelSpec] = (),
        traced: Callable[[ChatModel, ModelSpec | None], ChatModel] | None = None,
        limiters: Callable[[str, PlaceLimits], Limiter] | None = None,
    ) -> None:
        self._limits = limits or PlaceLimits()
        self._own_limits = places or {}
        self._policy = policy
        self._outage_patience = outage_patience
        self.budget = budget or Budget()
        self._cache = cache
        self._journal = journal
        self._managed = managed
        self._kept_elsewhere = kept_elsewhere
        self._answered = answered
        self._traced = traced
        self._limiters = limiters
        self.held_calls = HeldCalls()
        self._places: dict[str, Place] = {}
        self._models: dict[ModelSpec, ChatModel] = {}
        self._adopted: list[ChatModel] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for model in (*self._adopted, *self._models.values()):
            await model.aclose()
        self._adopted.clear()
        self._models.clear()

    def open(self, spec: ModelSpec) -> ChatModel:
        """Open the model of a spec; nothing is sent yet.

        Raises:
            ConfigurationError: The address or the name cannot be right.
        """
        if spec not in self._models:
            self._models[spec] = self._wrapped(spec)
        return self._models[spec]

    def adopt(self, model: ChatModel, *, pays: bool) -> ChatModel:
        """Return a model that has no spec, within the run's journal; see `ModelHost.adopt`."""
        if pays:
            place = self._place_named(model.name, None, has_answered=True)
            model = Limited(SelfReported(model, self.budget), place.limiter)
        if self._traced is not None:
            model = self._traced(model, None)
        if self._journal is not None:
            model = Journaled(model, self._journal)
        self._adopted.append(model)
        return model

    @property
    def places(self) -> tuple[Place, ...]:
        """The places of all open models, for displays."""
        return tuple(self._places.values())

    def waits(self) -> list[Wait]:
        """Return why calls are waiting now, at most one reason per place."""
        now = asyncio.get_running_loop().time()
        return [wait for place in self.places if (wait := place.wait(now)) is not None]

    def _wrapped(self, spec: ModelSpec) -> ChatModel:
        place = self._place(spec)
        # Within the limits: what waits for a slot holds nothing. Within the retries: each
        # attempt may cost.
        paid = Budgeted(
            self._bare(spec),
            self.budget,
            spec.known_price,
            find_price=partial(find_price, spec),
            own=spec.is_managed,
        )
        tried = Retrying(Limited(paid, place.limiter), self._policy, delays=place.delays)
        known = spec in self._answered
        model: ChatModel = FirstContact(tried, place.breaker, has_answered=known)
        if place.breaker is not None:
            model = Breaking(model, place.breaker)
        if (breaker := place.model_breaker(model.name)) is not None:
            model = Breaking(model, breaker)
        if self._traced is not None:
            model = self._traced(model, spec)
        if self._cache is not None:
            model = Cached(model, self._cache)
        if self._journal is not None:
            model = Journaled(model, self._journal)
        return with_options(model, spec.options)

    def _place(self, spec: ModelSpec) -> Place:
        name = spec.place
        is_waited_for = not spec.is_managed or (spec.server is not None and self._kept_elsewhere)
        patience = self._outage_patience if is_waited_for else None
        known = any(answered.place == name for answered in self._answered)
        return self._place_named(name, patience, has_answered=known)

    def _place_named(self, name: str, patience: float | None, *, has_answered: bool) -> Place:
        if name not in self._places:
            limits = self._own_limits.get(name, self._limits)
            self._places[name] = Place(
                name,
                limits,
                patience,
                self.held_calls,
                has_answered=has_answered,
                limiter=None if self._limiters is None else self._limiters(name, limits),
            )
        return self._places[name]

    def _bare(self, spec: ModelSpec) -> ChatModel:
        if spec.server is None:
            return _bare(spec)
        if self._managed is None:
            raise ConfigurationError(
                f"the model {spec.model!r} is on the managed server {spec.server!r}, "
                "which is not started here: set base_url"
            )
        return self._managed(spec)


def _bare(spec: ModelSpec) -> ChatModel:
    if spec.api_key is not None:
        redactor.register(spec.api_key)
    for _, value in spec.headers:
        redactor.register(value)
        redactor.register(value.partition(" ")[2])  # what follows `Bearer`
    if spec.base_url is not None:
        from .endpoint import EndpointModel, ModerationModel

        return (ModerationModel if spec.api == "moderations" else EndpointModel)(
            base_url=spec.base_url,
            model=spec.model,
            api_key=spec.api_key,
            modalities=spec.modalities,
            timeout=spec.timeout,
            connect_timeout=spec.connect_timeout,
            json_schema=spec.json_schema,
            ca_file=spec.ca_file,
            verify_tls=spec.verify_tls,
            proxy=spec.proxy,
            headers=dict(spec.headers),
        )
    if spec.is_embedded:
        from .embedded import EmbeddedModel

        return EmbeddedModel(spec.model.removeprefix(EMBEDDED_PREFIX))
    spec.check_place()
    from .litellm import LiteLLMModel

    return LiteLLMModel(
        spec.model,
        api_key=spec.api_key,
        api_base=spec.api_base,
        api_version=spec.api_version,
        region=spec.region,
        headers=dict(spec.headers),
        modalities=spec.modalities,
        timeout=spec.timeout,
    )


async def unset_keys(spec: ModelSpec) -> str:
    """Return the environment variables for a provider's key if none of them is set.

    They are joined by `or` or `and`; empty if a key is given, or none is needed. Nothing
    is sent.
    """
    if spec.base_url is not None or spec.is_managed or spec.api_key:
        return ""
    from .litellm import unset_variables

    return await unset_variables(spec.model)


async def find_price(spec: ModelSpec) -> Price | None:
    """Return the price at which a model's calls are charged, None if it is unknown.

    LiteLLM lists those of providers. Nothing is sent.
    """
    if spec.known_price is not None or spec.base_url is not None:
        return spec.known_price
    from .litellm import known_price

    return await known_price(spec.model)
