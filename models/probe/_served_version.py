"""Detects the version of vLLM behind an endpoint."""

import msgspec

from ...common import ModelError
from .._spec import ModelSpec
from ..endpoint import (
    Connection,
    ConnectionOptions,
    endpoint_headers,
    parse_base,
    proxy_for,
    tls_context,
)
from ._models import ListedModel

_TIMEOUT_S = 10.0
_MOST_BYTES = 2**20


class _Version(msgspec.Struct):
    version: str


class _Models(msgspec.Struct):
    data: list[ListedModel]


async def vllm_version(spec: ModelSpec) -> str | None:
    """Return the version of vLLM that serves a model, None if the server does not report it.

    Two requests at most, beside the API: `/version` at the server's root and `/models`,
    for others than vLLM may have a `/version` too. Whatever goes wrong is no answer.

    Args:
        spec: A model that has a `base_url`, checked.
    """
    base = parse_base(spec.base_url or "")
    reach = ConnectionOptions(
        timeout=min(_TIMEOUT_S, spec.timeout),
        connect_timeout=spec.connect_timeout,
        tls=tls_context(spec.ca_file, verify=spec.verify_tls),
        proxy=proxy_for(base, spec.proxy),
    )
    headers = endpoint_headers(base, spec.api_key, None)
    connection = Connection(spec.model, headers, reach, max_reply_bytes=_MOST_BYTES)
    api = base.with_user(None).with_query(None)
    try:
        root = api.with_path(api.path.removesuffix("/v1") or "/")
        said = msgspec.json.decode((await connection.get(root / "version")).body, type=_Version)
        listed = msgspec.json.decode((await connection.get(api / "models")).body, type=_Models)
    except (ModelError, msgspec.DecodeError):
        return None
    finally:
        await connection.aclose()
    return said.version if any(model.owned_by == "vllm" for model in listed.data) else None
