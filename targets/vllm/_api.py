"""Queries a vLLM server over HTTP: health, models, metrics."""

from enum import Enum
from typing import Self

import msgspec

_WORK = (
    b"vllm:prompt_tokens_total",
    b"vllm:generation_tokens_total",
    b"vllm:iteration_tokens_total_count",
)
"""Counters that grow whenever the engine has done a step."""


class _Models(msgspec.Struct, frozen=True):
    class Model(msgspec.Struct, frozen=True):
        id: str

    data: list[Model]


class ServerState(Enum):
    """How a server is, as another process can tell."""

    WELL = "well"
    DOWN = "down"
    """Nothing listens, or it says that it is not well: it has ended, or is about to."""
    SILENT = "silent"
    """It does not answer: it may be busy, or hang."""


class VllmClient:
    """A client for a server's health, models and metrics.

    Args:
        root: Its address, without a path.
        api_key: The API key that it requires, None for none.
        timeout: Seconds for each question.
    """

    def __init__(self, root: str, api_key: str | None, timeout: float) -> None:
        import aiohttp  # plans name servers and ask none

        self._root = root
        self._headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._client = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout),
            connector=aiohttp.TCPConnector(force_close=True),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def is_well(self) -> bool:
        """Return whether the server reports that it is healthy."""
        return await self._get("/health") is not None

    async def state(self) -> ServerState:
        """Return how the server is."""
        from aiohttp import ClientError

        try:
            async with self._client.get(f"{self._root}/health", headers=self._headers) as response:
                return ServerState.WELL if response.status == 200 else ServerState.DOWN
        except TimeoutError:
            return ServerState.SILENT
        except (ClientError, OSError):
            return ServerState.DOWN

    async def models(self) -> list[str]:
        """Return the names of the served models, none if the server does not list them."""
        try:
            content = msgspec.json.decode(await self._get("/v1/models") or b"", type=_Models)
        except msgspec.DecodeError:
            return []
        return [model.id for model in content.data]

    async def work_done(self) -> float | None:
        """Return the sum of the server's work counters, None if it has none."""
        found = [_value(line) for line in (await self._get("/metrics") or b"").splitlines()]
        counted = [value for value in found if value is not None]
        return sum(counted) if counted else None

    async def _get(self, path: str) -> bytes | None:
        """Get a path and return the body, None unless the status is 200."""
        from aiohttp import ClientError

        try:
            async with self._client.get(self._root + path, headers=self._headers) as response:
                body = await response.read()
                return body if response.status == 200 else None
        except (ClientError, TimeoutError, OSError):
            return None


async def state_of(url: str, timeout: float) -> ServerState:
    """Return how the server of an API is.

    Args:
        url: The API's address.
        timeout: Seconds within which it is to answer.
    """
    async with VllmClient(url.removesuffix("/v1"), None, timeout) as client:
        return await client.state()


def _value(line: bytes) -> float | None:
    """Parse a Prometheus line of a work counter and return its value."""
    if not line.startswith(_WORK):
        return None
    try:
        return float(line.rpartition(b" ")[2])
    except ValueError:
        return None
