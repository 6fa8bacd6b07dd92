"""Base class of the wrappers around a model."""

from ..chat import ChatModel, Modality, takes_tools


class Middleware:
    """A wrapper that delegates everything but `complete` to the model.

    Args:
        model: What to call.
    """

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def modalities(self) -> frozenset[Modality]:
        """The modalities that the model accepts."""
        return self._model.modalities

    @property
    def takes_tools(self) -> bool:
        """Whether requests may offer tools."""
        return takes_tools(self._model)

    async def aclose(self) -> None:
        """Close the model; shared parts stay open."""
        await self._model.aclose()
