"""From a model to what a config says of it: the way back from `model_spec`."""

import json
from typing import cast

from ...common import ConfigurationError
from ...datasets import ImageLimits
from ...models import ModelSpec

_PLAIN = (
    *("base_url", "api_base", "api_version", "region", "timeout", "connect_timeout"),
    *("ca_file", "verify_tls", "proxy", "json_schema"),
)
"""What a spec and a config call alike."""
_DEFAULTS = ModelSpec("")
_API_KEY = "api_key_env"


def model_keys(spec: ModelSpec) -> dict[str, object]:
    """Return what a config says of a model, as far as it is not the default.

    A key that was given as text is no part of it.

    Raises:
        ConfigurationError: It is on a managed server, which a spec knows by name alone.
    """
    if spec.server is not None:
        raise ConfigurationError(
            f"the model {spec.model!r} is on a managed server: say it as a dict with `vllm`"
        )
    keys: dict[str, object] = {"model": spec.model}
    values = ((name, getattr(spec, name)) for name in _PLAIN)
    keys |= {name: value for name, value in values if value != getattr(_DEFAULTS, name)}
    if "image" not in spec.modalities:
        keys["images"] = False
    if "audio" in spec.modalities:
        keys["audio"] = True
    if spec.price is not None:
        price = spec.price
        prices = {
            "input": price.input_per_million,
            "output": price.output_per_million,
            "cached_input": price.cached_input_per_million,
        }
        keys["price"] = {name: usd for name, usd in prices.items() if usd is not None}
    variables = dict(spec.variables)
    if _API_KEY in variables:
        keys[_API_KEY] = variables.pop(_API_KEY)
    if spec.options is not None:
        keys["request"] = _request(spec, variables)
    return keys


def _request(spec: ModelSpec, variables: dict[str, str]) -> dict[str, object]:
    assert spec.options is not None
    said = cast("dict[str, object]", json.loads(spec.options.parameters))
    if body := json.loads(spec.options.extra_body):
        said["extra_body"] = body
    if spec.options.headers:
        said["headers"] = {name: variables[name] for name in spec.options.headers}
    return said


def image_keys(limits: ImageLimits) -> dict[str, object]:
    """Return what a config says of what a model takes of pictures."""
    said: dict[str, object] = {
        "max_image_side": limits.max_side,
        "max_image_pixels": limits.max_pixels,
        "max_image_bytes": limits.max_bytes,
        "max_images": limits.max_images,
        "image_formats": None if limits.formats is None else list(limits.formats),
    }
    return {key: value for key, value in said.items() if value is not None}
