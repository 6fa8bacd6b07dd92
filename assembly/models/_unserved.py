"""Models on managed servers that are not started: known by name alone."""

from collections.abc import Callable, Iterable
from typing import NoReturn

from ...common import ModelError
from ...models import ChatModel, ChatRequest, ModelSpec
from ...targets import ServerUse, model_identity


def unserved(uses: Iterable[ServerUse]) -> Callable[[ModelSpec], ChatModel]:
    """Return what opens models on managed servers while no server is started."""
    names = {use.name: model_identity(use.spec) for use in uses}
    return lambda spec: _Unserved(names[spec.server or ""], spec)


class _Unserved:
    def __init__(self, name: str, spec: ModelSpec) -> None:
        self.name = name
        self.modalities = spec.modalities

    async def complete(self, request: ChatRequest) -> NoReturn:
        raise ModelError("its server was not started")

    async def aclose(self) -> None:
        """Do nothing: nothing is open."""
