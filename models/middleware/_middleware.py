"""What all wrappers around a model share."""

from ..chat import ChatModel, Modality


class Middleware:
    """A wrapper that is the model it wraps in all but `complete`.

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
        """What the model takes in."""
        return self._model.modalities

    async def aclose(self) -> None:
        """Close the model; what was shared with others stays open."""
        await self._model.aclose()
