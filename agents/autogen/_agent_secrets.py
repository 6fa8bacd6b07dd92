"""Finds the secrets in what an agent is configured with, so that nobody writes them down."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, cast

from autogen_core.models import ChatCompletionClient
from autogen_core.tools import Workbench
from pydantic import SecretStr

from ...models import is_secret_name, redactor

_HEADERS = ("headers", "default_headers")


def hide_secrets(parts: Iterable[ChatCompletionClient | Workbench]) -> None:
    """Redact from now on what clients and workbenches hold as secrets.

    These are the secrets of their configuration as a component, what is named as one there,
    such as a token in the environment of a server of MCP, and the values of headers. A server
    may echo any of them in an error.

    Args:
        parts: The clients and workbenches; what has no such configuration is passed over.
    """
    for part in parts:
        with suppress(Exception):  # anything may be raised by what cannot be written down
            _hide(part.dump_component().config, secret=False)


def _hide(value: object, *, secret: bool) -> None:
    match value:
        case SecretStr():
            redactor.register(value.get_secret_value())
        case str() if secret:
            redactor.register(value)
            redactor.register(value.rpartition(" ")[2])  # without "Bearer" and the like
        case Mapping():
            for key, held in cast("Mapping[Any, object]", value).items():
                named = str(key)
                _hide(held, secret=secret or named in _HEADERS or is_secret_name(named))
        case list() | tuple():
            for held in cast("Iterable[object]", value):
                _hide(held, secret=secret)
        case _:
            pass
