"""Writes a model and how to reach it as plain data, without a secret, and reads it again."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from typing import Any

import msgspec

from ..common import ConfigurationError
from ._spec import ModelSpec
from .chat import redactor

_KEY = "api_key_env"
_SECRET = ("api_key", "headers", "variables")
_ADDRESSES = ("base_url", "api_base", "proxy")


def spec_as_data(spec: ModelSpec, *, managed: bool = False) -> dict[str, Any]:
    """Return a model as plain data; what it has by default is left out.

    Its `variables` name the environment variables that hold the key (`api_key_env`) and the
    values of headers.

    Args:
        spec: The model.
        managed: Whether who reads it knows the managed servers of this run.

    Raises:
        ConfigurationError: A secret came from no environment variable, or the model is on a
            server that only this run knows.
    """
    named = dict(spec.variables)
    held = [_KEY] if spec.api_key else []
    held += [name for name, _ in spec.headers]
    for secret in held:
        if secret not in named:
            what = "key" if secret == _KEY else f"header {secret}"
            raise ConfigurationError(
                f"the model {spec.model!r} has a {what} that came from no environment variable, "
                "and secrets are written nowhere: name the variable that holds it "
                "(`sj.endpoint(…, api_key_env=…)`)"
            )
    if any("@" in (getattr(spec, name) or "") for name in _ADDRESSES):
        raise ConfigurationError(
            f"the model {spec.model!r} has an address with a name or password in it, and secrets "
            "are written nowhere"
        )
    if spec.server is not None and not managed:
        raise ConfigurationError(
            f"the model {spec.model!r} is on a server that this run started: give it a base_url"
        )
    kept = {
        each.name: getattr(spec, each.name)
        for each in fields(ModelSpec)
        if each.name not in _SECRET and getattr(spec, each.name) != _usual(each.default)
    }
    if "modalities" in kept:
        kept["modalities"] = sorted(kept["modalities"])
    variables = {name: named[name] for name in held}
    return msgspec.to_builtins({**kept, **({"variables": variables} if variables else {})})


def spec_from_data(data: Mapping[str, object]) -> ModelSpec:
    """Return the model that `spec_as_data` wrote, with its secrets from the environment.

    Raises:
        ConfigurationError: The data describe no model, or a variable holds no secret.
    """
    try:
        named = msgspec.convert(data.get("variables", {}), dict[str, str])
        bare = {name: value for name, value in data.items() if name not in _SECRET}
        spec = msgspec.convert(bare, ModelSpec)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"the data describe no model: {error}") from error
    found = {name: _secret(variable, spec.model) for name, variable in named.items()}
    key = found.pop(_KEY, None)
    variables = tuple(named.items())
    spec = replace(spec, api_key=key, headers=tuple(found.items()), variables=variables)
    spec.check_place()
    return spec


def _usual(default: object) -> object:
    return None if default is MISSING else default


def _secret(variable: str, model: str) -> str:
    held = os.environ.get(variable, "").strip()
    if not held or not held.isprintable():
        raise ConfigurationError(
            f"the environment variable {variable} holds no key, and the model {model!r} needs it: "
            "export it"
        )
    redactor.register(held)
    return held
