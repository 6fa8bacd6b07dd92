"""Words for the differences between targets."""

from collections import Counter
from collections.abc import Mapping

from ...common.text import count, percent
from ...models import Sampling
from ...targets import ResponseOutcome

_LONGEST_NAME = 60
_NAMES_SHOWN = 5


def describe_part(part: int, whole: int) -> str:
    """Return a share of a target's responses, such as `12 of 50 responses`."""
    return f"{count(part)} of {count(whole)} responses"


def describe_caps(caps: Mapping[int | None, int]) -> str:
    """Return the token caps of a target's requests, such as `1,024`."""
    ordered = sorted(caps, key=lambda cap: (cap is None, cap or 0))
    return " and ".join("no cap" if cap is None else count(cap) for cap in ordered)


def describe_sampling(drawn: Mapping[tuple[Sampling, int | None], int]) -> str:
    """Return the sampling settings of a target's requests."""
    return " and ".join(sorted(_sampling(sampling, seed) for sampling, seed in drawn))


def _sampling(sampling: Sampling, seed: int | None) -> str:
    temperature = sampling.temperature
    said = [
        "default temperature" if temperature is None else f"temperature {temperature:g}",
        *([] if sampling.top_p is None else [f"top_p {sampling.top_p:g}"]),
        "no seed" if seed is None else f"seed {seed}",
    ]
    return f"({', '.join(said)})"


def describe_dropped(dropped: Mapping[str, int], put: int) -> str:
    """Return the parameters that a server does not take, and how often each was left out."""
    said = ", ".join(f"{name} ({describe_part(dropped[name], put)})" for name in sorted(dropped))
    return f"left out, because its server does not take them: {said}"


def describe_lost(lost: Mapping[ResponseOutcome, int], cases: int) -> str:
    """Return the share of incomplete responses, such as `6.0 % (3 truncated of 50)`."""
    if not lost:
        return f"none of {count(cases)}"
    said = ", ".join(f"{count(number)} {kind.replace('_', ' ')}" for kind, number in lost.items())
    return f"{percent(sum(lost.values()) / cases)} ({said} of {count(cases)})"


def describe_models(models: Counter[str]) -> str:
    """Return the model names of a target, most frequent first."""
    shown = models.most_common(_NAMES_SHOWN)
    said = ", ".join(f"{_short(name)} ({count(number)})" for name, number in shown)
    more = f" and {len(models) - len(shown)} more" if len(models) > len(shown) else ""
    return f"{len(models)} models: {said}{more}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."
