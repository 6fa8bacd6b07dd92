"""From a config to the model that it names, with nothing opened yet."""

from pathlib import Path

from ...common.files import resolve_path
from ...models import Modality, ModelSpec, Price
from ..config import ModelConfig, PriceConfig, key_from_environment
from ..servers import ServerBook


def model_spec(
    config: ModelConfig,
    servers: ServerBook | None = None,
    *,
    user: str = "server",
    keep: bool = False,
) -> ModelSpec:
    """Return the spec of a configured model, its key read from the environment.

    Args:
        config: What the config says of it.
        servers: Where its managed server is entered, if it has one.
        user: Whom that server is for, which names it.
        keep: Whether that server is needed for the whole run.

    Raises:
        ConfigurationError: The key's variable is not set, the model is nowhere, or
            its server cannot be.
    """
    servers = servers or ServerBook(Path())
    name, server = config.model or "", None
    if config.vllm is not None:
        hourly = None if config.price is None else config.price.per_gpu_hour
        use = servers.enter(config.vllm, name=user, keep=keep, per_gpu_hour=hourly)
        name, server = use.spec.served_name, use.name
    taken: set[Modality] = {"text"}
    taken |= {"image"} if config.images else set()
    taken |= {"audio"} if config.audio else set()
    spec = ModelSpec(
        name,
        base_url=config.base_url,
        api_key=key_from_environment(config.api_key_env),
        api_base=config.api_base,
        api_version=config.api_version,
        region=config.region,
        options=config.request and config.request.options,
        headers=_headers(config),
        timeout=config.timeout,
        modalities=frozenset(taken),
        json_schema=config.json_schema,
        price=_price(config.price),
        server=server,
        connect_timeout=config.connect_timeout,
        ca_file=None
        if config.ca_file is None
        else str(resolve_path(servers.folder, config.ca_file)),
        verify_tls=config.verify_tls,
        proxy=config.proxy,
        variables=_variables(config),
    )
    spec.check_place()
    return spec


def _headers(config: ModelConfig) -> tuple[tuple[str, str], ...]:
    """Return further HTTP headers, their values read from the environment."""
    named = {} if config.request is None else config.request.headers
    return tuple(
        (name, key_from_environment(variable, f"request.headers.{name}") or "")
        for name, variable in named.items()
    )


def _variables(config: ModelConfig) -> tuple[tuple[str, str], ...]:
    named = {} if config.request is None else config.request.headers
    key = {} if config.api_key_env is None else {"api_key_env": config.api_key_env}
    return tuple({**key, **named}.items())


def _price(config: PriceConfig | None) -> Price | None:
    if config is None or config.input is None or config.output is None:
        return None  # unknown, or that of a server's time
    return Price(config.input, config.output, config.cached_input)
