"""Who makes a set: the models, by what they do."""

from dataclasses import asdict, dataclass

from ...models import ChatModel, Sampling


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model and its name in the set's records.

    Attributes:
        name: Unique among the panel.
        model: The model.
        sampling: How its words are drawn.
    """

    name: str
    model: ChatModel
    sampling: Sampling = Sampling()

    def identity(self) -> tuple[object, ...]:
        """Return what decides its answers, as plain data: name, model and sampling.

        Stages are known by it: a set is made anew where it changes.
        """
        return self.name, self.model.name, asdict(self.sampling)


@dataclass(frozen=True, slots=True)
class StageModels:
    """All models that take part.

    Attributes:
        panel: Proposes scenarios and judges queries; at least one.
        generator: Writes queries and twins.
        foreperson: Merges and groups scenarios.
        describer: Describes the scene of a picture.
        viewer: Judges pictures; None where no model of the cast sees.
    """

    panel: tuple[NamedModel, ...]
    generator: NamedModel
    foreperson: NamedModel
    describer: NamedModel
    viewer: NamedModel | None = None
