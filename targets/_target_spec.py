"""A target that is a model, as plain data, and how it is opened."""

from dataclasses import dataclass

from ..datasets import ImageFitter, ImageLimits, MediaStore
from ..models import ModelSource, ModelSpec, Sampling
from ._model_target import ModelTarget


@dataclass(frozen=True, slots=True)
class ModelTargetSpec:
    """A target that is a model, before the model is opened.

    Attributes:
        name: The target's name in the run.
        model: The model.
        max_tokens: Cap on the tokens of a response.
        seed: Seed of the model.
        sampling: How its words are drawn.
        images: What it takes of pictures.
        system: Its system prompt, None for none.
    """

    name: str
    model: ModelSpec
    max_tokens: int = 1024
    seed: int = 7
    sampling: Sampling = Sampling()
    images: ImageLimits = ImageLimits()
    system: str | None = None

    def open(self, models: ModelSource, media: MediaStore) -> ModelTarget:
        """Open the target.

        Args:
            models: Opens its model.
            media: Keeps pictures that were made to fit the model.
        """
        return ModelTarget(
            self.name,
            models.open(self.model),
            max_tokens=self.max_tokens,
            seed=self.seed,
            sampling=self.sampling,
            fitting=ImageFitter(self.images, media),
            system=self.system,
        )
