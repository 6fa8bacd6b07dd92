"""What `safejury probe` is to ask: an address, or a target of a config."""

import re
from dataclasses import dataclass
from pathlib import Path

from ...assembly import load_config
from ...assembly.config import TargetConfig, key_from_environment
from ...assembly.models import model_spec
from ...assembly.servers import ServerBook
from ...common import ConfigurationError
from ...common.text import did_you_mean, quoted
from ...models import ModelSpec

_DEFAULT_CONFIG = Path("safejury.yaml")
_SECONDS = 60.0
_NAMED_PORT = re.compile(r"[\w.-]+:\d+(/.*)?")


@dataclass(frozen=True, slots=True)
class ProbePlace:
    """What to ask, and what a config says of it beforehand."""

    spec: ModelSpec
    api_key_env: str | None = None
    name: str = ""


def find_place(place: str, config: Path | None, api_key_env: str | None) -> ProbePlace:
    """Return what to ask.

    Raises:
        ConfigurationError: It cannot be found, or has no address.
    """
    if "://" in place:
        return _at(place, api_key_env)
    if _NAMED_PORT.fullmatch(place):
        return _at(f"http://{place}", api_key_env)
    path = config or _DEFAULT_CONFIG
    if config is None and not path.exists():
        raise ConfigurationError(
            f"{quoted(place)} is no address, and there is no {path} that could name it as a"
            " target: write an address with http:// or https://, or give --config"
        )
    targets = {target.name: target for target in load_config(path).targets}
    target = targets.get(place)
    if target is None:
        near = did_you_mean(place, targets)
        raise ConfigurationError(
            f"{path}: no target is named {quoted(place)}{near}; known are {', '.join(targets)}"
        )
    if target.base_url is None:
        raise ConfigurationError(f"{path}: the target {place!r} {_unreachable(target, path)}")
    variable = api_key_env or target.api_key_env
    reached = target.as_model().model_copy(update={"api_key_env": variable})
    return ProbePlace(model_spec(reached, ServerBook(path.parent)), variable, target.name)


def _at(url: str, api_key_env: str | None) -> ProbePlace:
    key = key_from_environment(api_key_env)
    return ProbePlace(ModelSpec("", url, key, _SECONDS), api_key_env)


def _unreachable(target: TargetConfig, path: Path) -> str:
    """Say why a target without an address cannot be probed, and what to do."""
    if target.responses is not None:
        return "is a file of responses: there is nothing to probe"
    if target.vllm is not None:
        return (
            f"is a server that safejury starts: run `safejury serve {path}` first,"
            " then probe the address that it prints"
        )
    if ModelSpec(target.model or "").is_embedded:
        return "is the embedded model, which takes text alone"
    return (
        "is reached through LiteLLM and has no base_url: a probe needs an OpenAI-compatible"
        f" address; `safejury doctor {path}` sends it one call"
    )
