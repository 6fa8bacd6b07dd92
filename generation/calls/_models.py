"""The models that make a set, by role."""

from dataclasses import asdict, dataclass

from ...models import ChatModel, Sampling


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model under the name that the set's records give it.

    Attributes:
        name: Unique among the panel.
        model: The model.
        sampling: How its words are drawn.
    """

    name: str
    model: ChatModel
    sampling: Sampling = Sampling()

    def identity(self) -> tuple[object, ...]:
        """Return name, model and sampling as plain data: all that decides its replies.

        It is part of the inputs of stages: they are made again if it changes.
        """
        return self.name, self.model.name, asdict(self.sampling)


@dataclass(frozen=True, slots=True)
class StageModels:
    """The models that make a set, by role.

    Attributes:
        panel: Proposes scenarios and judges queries; at least one.
        generator: Writes queries and twins.
        foreperson: Merges and groups scenarios.
        describer: Describes the scene of a picture.
        viewer: Judges pictures; None for no viewer.
    """

    panel: tuple[NamedModel, ...]
    generator: NamedModel
    foreperson: NamedModel
    describer: NamedModel
    viewer: NamedModel | None = None
