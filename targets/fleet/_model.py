"""Chat models on managed servers, kept up by this process or by another."""

import asyncio

from ...common import TransportError
from ...models import (
    ChatRequest,
    Completion,
    EndpointModel,
    Modality,
    ModelSpec,
)
from ..vllm import PROBE_S, ServerState, state_of
from ._address import ServerAddress
from ._keeper import Keeper, ServerLifetime

_LOOK_S = 0.5
"""Between two looks at a server that is down."""


class ManagedModel:
    """A chat model on a server that a fleet starts, stops and restarts.

    Args:
        spec: How it is called; `timeout` does not count the wait for the server.
        keeper: Who keeps its server up.
        api_key: What the server asks for, None for nothing.
    """

    def __init__(self, spec: ModelSpec, keeper: Keeper, *, api_key: str | None) -> None:
        self._spec = spec
        self._keeper = keeper
        self._api_key = api_key
        self._name, self._sent_name = ServerAddress.of(keeper.use, "").names(spec.model)
        self._endpoint: EndpointModel | None = None
        self._url = ""
        self._earlier: list[EndpointModel] = []

    @property
    def name(self) -> str:
        """The model's name, independent of its server's address."""
        return self._name

    @property
    def modalities(self) -> frozenset[Modality]:
        """What the model takes in."""
        return self._spec.modalities

    @property
    def takes_tools(self) -> bool:
        """Whether requests may offer tools; a server that was started without says so itself."""
        return True

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply; repeat a call that a server restart interrupted.

        Raises:
            FirstContactError: The server does not start, or died or hung too often.
            ModelError: The call failed on a server that is well.
        """
        while True:
            life = await self._keeper.ready()
            try:
                with self._keeper.call(self._spec.timeout):
                    return await self._connected(life).complete(request)
            except TransportError:
                if not await self._keeper.is_over(life):
                    raise

    async def aclose(self) -> None:
        """Close the connections; the fleet keeps the server."""
        opened = self._earlier if self._endpoint is None else [*self._earlier, self._endpoint]
        self._endpoint, self._earlier = None, []
        for endpoint in opened:
            await endpoint.aclose()

    def _connected(self, life: ServerLifetime) -> EndpointModel:
        if self._endpoint is None or self._url != life.url:
            self._url = life.url
            if self._endpoint is not None:  # calls may still fail on it
                self._earlier.append(self._endpoint)
            self._endpoint = EndpointModel(
                base_url=life.url,
                model=self._sent_name,
                api_key=self._api_key,
                modalities=self._spec.modalities,
                timeout=self._spec.timeout,
                json_schema=self._spec.json_schema,
            )
        return self._endpoint


class ServedModel:
    """A chat model on a managed server that another process keeps up.

    Args:
        spec: How it is called.
        address: Where its server is.
        api_key: What the server asks for, None for nothing.
        patience: Seconds for which a server that is down is waited for.
    """

    def __init__(
        self,
        spec: ModelSpec,
        address: ServerAddress,
        api_key: str | None,
        *,
        patience: float = 0.0,
    ) -> None:
        self._name, sent_name = address.names(spec.model)
        self._url = address.url
        self._patience = patience
        self._looking = asyncio.Lock()
        self._looked_at, self._state = float("-inf"), ServerState.WELL
        self._endpoint = EndpointModel(
            base_url=address.url,
            model=sent_name,
            api_key=api_key,
            modalities=spec.modalities,
            timeout=spec.timeout,
            json_schema=spec.json_schema,
        )

    @property
    def name(self) -> str:
        """The model's name, independent of its server's address."""
        return self._name

    @property
    def modalities(self) -> frozenset[Modality]:
        """What the model takes in."""
        return self._endpoint.modalities

    @property
    def takes_tools(self) -> bool:
        """Whether requests may offer tools; a server that was started without says so itself."""
        return True

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply; repeat a call that a server restart interrupted.

        Raises:
            ModelError: The call failed on a server that is well, or that is down for too long.
        """
        while True:
            try:
                return await self._endpoint.complete(request)
            except TransportError:
                if not await self._came_back():
                    raise

    async def _came_back(self) -> bool:
        """Return whether the server that failed a call was down, and is well by now."""
        since, was_down = self._now(), False
        end = since + self._patience
        while (state := await self._seen(since)) is ServerState.DOWN:
            was_down = True
            if self._now() >= end:
                return False
            await asyncio.sleep(_LOOK_S)
            since = self._now() - _LOOK_S
        return was_down and state is ServerState.WELL

    async def _seen(self, since: float) -> ServerState:
        """Return how the server is, as one call has seen since then for all."""
        async with self._looking:
            if self._looked_at < since:
                self._looked_at = self._now()
                self._state = await state_of(self._url, PROBE_S)
            return self._state

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._endpoint.aclose()
