"""Specifies a model and how to reach it."""

from dataclasses import dataclass, field
from typing import Literal

from ..common import ConfigurationError
from .chat import REGION_PARAMETERS, Modality, Price, RequestOptions, region_parameter
from .endpoint import address_of, parse_base, proxy_for, tls_context

EMBEDDED_PREFIX = "embedded/"
EMBEDDED_WARNING = (
    "embedded/smollm2 is a 135M-parameter toy for trying the tool: its verdicts mean nothing."
)
"""Shown wherever the embedded model is used."""
_OTHER_DIALECTS = {*REGION_PARAMETERS, "azure", "azure_ai", "azure_text", "ollama", "ollama_chat"}
"""Providers with another API than OpenAI's, whose names are not those of hub organizations."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model and how to reach it.

    Attributes:
        model: The name at `base_url` or `server`, `provider/model` for LiteLLM, or
            `embedded/smollm2`.
        base_url: An OpenAI-compatible address, None for the other two.
        api_key: The secret itself, None if none is needed; never shown.
        timeout: Seconds for one call.
        modalities: The modalities that the model accepts.
        json_schema: `never` requests JSON in the prompt from the start.
        price: The price in the config; None if it has none.
        server: Name of the managed server that serves it, None for all others.
        connect_timeout: Seconds for the connection to `base_url`, within `timeout`.
        ca_file: PEM file of further certificates to trust for `base_url`.
        verify_tls: Whether the certificate of `base_url` is checked.
        proxy: HTTP proxy for `base_url`, None for the environment's; never shown, because
            it may contain a password.
        api_base: Another address of a `provider/model` than the provider's own.
        api_version: Version of the provider's API.
        region: Where the provider runs the model.
        options: Extra options of every request.
        headers: Further HTTP headers with their values; never shown.
        variables: Names of the environment variables that hold the key (`api_key_env`) and
            the values of headers, as far as they came from there; no part of what it is.
        api: The API that serves it at `base_url`: `chat` completions, or `moderations`.
    """

    model: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    timeout: float = 120.0
    modalities: frozenset[Modality] = frozenset({"text", "image"})
    json_schema: Literal["auto", "never"] = "auto"
    price: Price | None = None
    server: str | None = None
    connect_timeout: float = 10.0
    ca_file: str | None = None
    verify_tls: bool = True
    proxy: str | None = field(default=None, repr=False)
    api_base: str | None = field(default=None, repr=False)
    api_version: str | None = None
    region: str | None = None
    options: RequestOptions | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False, compare=False)
    api: Literal["chat", "moderations"] = "chat"

    @property
    def is_embedded(self) -> bool:
        """Whether it is the embedded demo model."""
        nowhere = self.base_url is None and self.server is None
        return nowhere and self.model.startswith(EMBEDDED_PREFIX)

    @property
    def is_managed(self) -> bool:
        """Whether it runs on a managed server or embedded, so that no provider bills it."""
        return self.server is not None or self.is_embedded

    @property
    def known_price(self) -> Price | None:
        """The price known without a price list; free for managed and embedded models."""
        return self.price or (Price(0.0, 0.0) if self.is_managed else None)

    def check_place(self) -> None:
        """Validate the address and how to reach it; nothing is sent.

        Raises:
            ConfigurationError: It has no address, no server, and names no provider; or
                the address, the proxy or the file of certificates cannot be used.
        """
        if self.region is not None:
            region_parameter(self.model)
        if self.api_base is not None:
            parse_base(self.api_base)
        if self.api == "moderations" and self.base_url is None:
            raise ConfigurationError(
                f"the model {self.model!r} is on a moderations API: give its address as base_url"
            )
        if self.base_url is not None:
            self._check_dialect()
            proxy_for(parse_base(self.base_url), self.proxy)
            tls_context(self.ca_file, verify=self.verify_tls)
        elif self.server is None and "/" not in self.model:
            raise ConfigurationError(
                f"the model {self.model!r} has no base_url: add one, or write provider/model, "
                "such as openai/gpt-4o, or embedded/smollm2"
            )

    @property
    def place(self) -> str:
        """The place where calls go; models at one place share its limits."""
        if self.server is not None:
            return f"server {self.server}"
        if self.base_url is not None:
            return address_of(self.base_url)
        provider = self.model.partition("/")[0]
        if self.api_base is not None:
            return f"{provider} at {address_of(self.api_base)}"
        return f"{provider} in {self.region}" if self.region else provider

    def _check_dialect(self) -> None:
        provider, slash, _ = self.model.partition("/")
        if slash and provider in _OTHER_DIALECTS:
            raise ConfigurationError(
                f"the model {self.model!r} has a base_url, which is for OpenAI-compatible servers, "
                f"but {provider} has an API of its own: give the address as api_base, so that "
                "LiteLLM calls it. If it is the name of a model on an OpenAI-compatible server, "
                f"write model: openai/{self.model}, with api_base"
            )
