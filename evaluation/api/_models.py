"""Models as a researcher names them: an address and a name, or a provider's model."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ...assembly.config import ModelConfig, as_config
from ...assembly.models import model_spec
from ...common import ConfigurationError
from ...models import ModelSpec, redactor

Prices = float | Mapping[str, float]
"""US dollars per million tokens as `{"input": 0.5, "output": 1.5}`; 0 for what costs nothing."""


def endpoint(
    base_url: str,
    model: str,
    *,
    api_key: str | None = None,
    api_key_env: str | None = None,
    images: bool = True,
    audio: bool = False,
    price: Prices | None = None,
    timeout: float = 120.0,
    request: Mapping[str, object] | None = None,
    json_schema: Literal["auto", "never"] = "auto",
    ca_file: str | Path | None = None,
    verify_tls: bool = True,
    proxy: str | None = None,
) -> ModelSpec:
    """Name a model on an OpenAI-compatible server; nothing is sent yet.

    Args:
        base_url: The server's address, such as `http://127.0.0.1:8000/v1`.
        model: The model's name there.
        api_key: The key itself; it is never shown, and kept in no file.
        api_key_env: The environment variable that holds the key, instead.
        images: Whether the model takes pictures.
        audio: Whether it takes sound.
        price: What its tokens cost, for budgets and reports; unknown unless given.
        timeout: Seconds for one call.
        request: What each request says beside what all models are asked, with the keys of
            `request:` in a config, such as `{"top_k": 20}`.
        json_schema: `never` asks for JSON in words from the start.
        ca_file: PEM file of certificates that the server may have.
        verify_tls: Whether the server's certificate is checked.
        proxy: An HTTP proxy on the way; the environment's unless given.

    Raises:
        ConfigurationError: The address cannot be right, or no key is in the variable.
    """
    said = {
        "base_url": base_url,
        "model": model,
        "api_key_env": api_key_env,
        "images": images,
        "audio": audio,
        "price": price,
        "timeout": timeout,
        "request": request,
        "json_schema": json_schema,
        "ca_file": ca_file,
        "verify_tls": None if verify_tls else False,
        "proxy": proxy,
    }
    return _spec("endpoint", said, api_key)


def model(
    name: str,
    *,
    api_key: str | None = None,
    api_key_env: str | None = None,
    images: bool = True,
    audio: bool = False,
    price: Prices | None = None,
    timeout: float = 120.0,
    request: Mapping[str, object] | None = None,
    json_schema: Literal["auto", "never"] = "auto",
    api_base: str | None = None,
    api_version: str | None = None,
    region: str | None = None,
) -> ModelSpec:
    """Name a provider's model, which LiteLLM reaches; nothing is sent yet.

    Args:
        name: `provider/model`, such as `openai/gpt-4o`; or `embedded/smollm2`, the toy model.
        api_key: The key itself; it is never shown, and kept in no file.
        api_key_env: The environment variable that holds the key, where it is not the one that
            LiteLLM looks for, such as `OPENAI_API_KEY`.
        images: Whether the model takes pictures.
        audio: Whether it takes sound.
        price: What its tokens cost; LiteLLM's list is asked unless given.
        timeout: Seconds for one call.
        request: See `endpoint`.
        json_schema: See `endpoint`.
        api_base: Another address than the provider's own.
        api_version: The version of the provider's API, as Azure wants one.
        region: Where the provider runs the model, as Bedrock and Vertex AI want it.

    Raises:
        ConfigurationError: The name has no provider, or no key is in the variable.
    """
    said = {
        "model": name,
        "api_key_env": api_key_env,
        "images": images,
        "audio": audio,
        "price": price,
        "timeout": timeout,
        "request": request,
        "json_schema": json_schema,
        "api_base": api_base,
        "api_version": api_version,
        "region": region,
    }
    return _spec("model", said, api_key)


def _spec(function: str, said: Mapping[str, object], api_key: str | None) -> ModelSpec:
    """Return the spec of what was said, checked as a config is."""
    if api_key is not None:
        if said["api_key_env"] is not None:
            raise ConfigurationError(f"{function}: give api_key or api_key_env, not both")
        if not api_key.strip() or not api_key.isprintable():
            raise ConfigurationError(f"{function}: api_key is empty, or holds a line break")
        redactor.register(api_key)
    given = {key: value for key, value in said.items() if value is not None}
    spec = model_spec(as_config(given, ModelConfig, function))
    return spec if api_key is None else replace(spec, api_key=api_key)
