"""A client as plain data, which AutoGen's components are saved as; never with a secret in it."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from typing import Any

import msgspec
from pydantic import BaseModel
from yarl import URL

from ....common import ConfigurationError
from ....models import ModelSpec, Sampling

_API_KEY = "api_key_env"
_MEND = "name an environment variable instead (`sj.endpoint(…, api_key_env=…)`)"


class AgentChatClientConfig(BaseModel):
    """A client as plain data.

    Attributes:
        model: The model and how to reach it; what it has by default is left out.
        variables: The environment variables that hold its key (`api_key_env`) and the values
            of its headers.
        temperature: See `Sampling`.
        top_p: See `Sampling`.
        seed: Seed for providers that take one.
        max_tokens: Cap on the tokens of each reply.
        context_tokens: Tokens that prompt and reply share.
        add_name_prefixes: See `AgentChatClient`.
        include_name_in_message: See `AgentChatClient`.
    """

    model: dict[str, Any]
    variables: dict[str, str] = {}
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    context_tokens: int = 32_768
    add_name_prefixes: bool = False
    include_name_in_message: bool = False

    @property
    def sampling(self) -> Sampling:
        """How words are drawn."""
        return Sampling(self.temperature, self.top_p)

    @property
    def spec(self) -> ModelSpec:
        """The model, with its secrets from the environment.

        Raises:
            ConfigurationError: A variable is not set, or the data are no model's.
        """
        try:
            spec = msgspec.convert(self.model, ModelSpec)
        except msgspec.ValidationError as error:
            raise ConfigurationError(f"the client's model cannot be read: {error}") from error
        found = {name: _value(name, variable) for name, variable in self.variables.items()}
        key = found.pop(_API_KEY, None)
        named = tuple(self.variables.items())
        return replace(spec, api_key=key, headers=tuple(found.items()), variables=named)


def spec_as_data(spec: ModelSpec) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a model as plain data, and the environment variables that hold its secrets.

    Raises:
        ConfigurationError: It holds a secret of another kind, or has a server of its own.
    """
    variables = dict(spec.variables)
    secret = [name for name, _ in spec.headers if name not in variables]
    if spec.api_key is not None and _API_KEY not in variables:
        secret.append("api_key")
    secret += [
        name
        for name in ("base_url", "api_base", "proxy")
        if (address := getattr(spec, name)) is not None and URL(address).raw_user is not None
    ]
    if secret:
        raise ConfigurationError(
            f"the client cannot be dumped: {' and '.join(secret)} of its model would be written"
            f" down with it; {_MEND}"
        )
    if spec.server is not None:
        raise ConfigurationError(
            "the client cannot be dumped: its model is on a server that this run started;"
            " give the model a base_url"
        )
    bare = replace(spec, api_key=None, headers=(), variables=())
    usual = {each.name: each.default for each in fields(ModelSpec) if each.default is not MISSING}
    kept = {
        each.name: getattr(bare, each.name)
        for each in fields(ModelSpec)
        if getattr(bare, each.name) != usual.get(each.name, MISSING)
    }
    data: Mapping[str, Any] = msgspec.to_builtins(kept)
    if "modalities" in kept:
        data = {**data, "modalities": sorted(kept["modalities"])}
    return dict(data), variables


def _value(name: str, variable: str) -> str:
    if (value := os.environ.get(variable)) is None:
        raise ConfigurationError(
            f"the client's {name} is in the environment variable {variable}, which is not set:"
            " export it"
        )
    return value
