"""Limits of single endpoints, by the places that models name."""

from collections.abc import Iterable

from ...common import ConfigurationError
from ...common.text import did_you_mean, quoted
from ...models import ModelSpec, PlaceLimits
from ._shape import LimitsConfig, RunLimitsConfig


def limits_of_places(limits: LimitsConfig) -> dict[str, PlaceLimits]:
    """Return the limits of endpoints that have their own, by place."""
    found: dict[str, PlaceLimits] = {}
    endpoints = limits.endpoints if isinstance(limits, RunLimitsConfig) else {}
    for name, own in endpoints.items():
        has_pace = "requests_per_minute" in own.model_fields_set
        found[_place(name)] = PlaceLimits(
            own.concurrency or limits.concurrency,
            own.requests_per_minute if has_pace else limits.requests_per_minute,
        )
    return found


def most_calls(limits: RunLimitsConfig) -> int:
    """Return the most calls at a time that any one endpoint may get."""
    own = [place.concurrency for place in limits_of_places(limits).values()]
    return max([limits.concurrency, *own])


def check_endpoints(limits: RunLimitsConfig, specs: Iterable[ModelSpec | None]) -> None:
    """Check that each endpoint with limits of its own is one that the run uses.

    Raises:
        ConfigurationError: No model is there, so that the limits would bind nothing.
    """
    places = sorted({spec.place for spec in specs if spec is not None and not spec.is_managed})
    for name in limits.endpoints:
        if (place := _place(name)) not in places:
            raise ConfigurationError(
                f"limits.endpoints names {quoted(place)}, where no model of this run is"
                f"{did_you_mean(place, places)}: name one of {', '.join(places) or 'none'}"
            )


def _place(name: str) -> str:
    return ModelSpec("", base_url=name).place if "://" in name else name
