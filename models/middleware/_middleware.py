"""Base class of the wrappers around a model."""

from ..chat import ChatModel, Modality, takes_tools


class Middleware:
    """A wrapper that delegates everything but `complete` to the model.

    What it says of itself is what the innermost model says.

    Args:
        model: What to call.
    """

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._inmost: ChatModel = model._inmost if isinstance(model, Middleware) else model

    @property
    def name(self) -> str:
        """The model's name."""
        return self._inmost.name

    @property
    def modalities(self) -> frozenset[Modality]:
        """The modalities that the model accepts."""
        return self._inmost.modalities

    @property
    def takes_tools(self) -> bool:
        """Whether requests may offer tools."""
        return takes_tools(self._inmost)

    async def aclose(self) -> None:
        """Close the model; shared parts stay open."""
        await self._model.aclose()
