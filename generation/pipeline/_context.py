"""The context that every stage runs in."""

from dataclasses import dataclass, field
from typing import Protocol

from ...datasets import Taxonomy, load_taxonomy, read_taxonomy
from ..calls import StageModels
from ..items import GenerationSettings
from ._folder import TAXONOMY, SetFolder
from ._services import Services


class Progress(Protocol):
    """Receives the progress of the stages."""

    def stage(self, name: str, total: int | None) -> None:
        """A stage begins; `total` is its number of steps, None if unknown."""
        ...

    def step(self, done: int = 1, note: str = "") -> None:
        """Steps are done; `note` says how it is going."""
        ...

    def notify(self, message: str) -> None:
        """Show a message of one line."""
        ...


@dataclass(frozen=True, slots=True)
class StageContext:
    """Folder, settings and models of a set that is being made.

    Attributes:
        folder: Where everything goes.
        settings: What is wanted.
        models: The models.
        progress: Receives progress and messages.
        concurrency: How many items may be under way at a time.
        services: How services that draw and speak are asked.
        accepts_failures: Whether a stage is made though calls failed for it that may go
            well another time; what they were to bring stays missing.
    """

    folder: SetFolder
    settings: GenerationSettings
    models: StageModels
    progress: Progress
    concurrency: int = 16
    services: Services = field(default_factory=Services)
    accepts_failures: bool = False

    def taxonomy(self) -> Taxonomy:
        """Return the scenarios: those of the taxonomy stage, else the bundled ones."""
        if self.settings.taxonomy is None:
            return load_taxonomy()
        return read_taxonomy(self.folder.path / TAXONOMY)

    def scenario_ids(self) -> tuple[str, ...]:
        """Return the ids of the scenarios that queries are made for, each once."""
        taxonomy = self.taxonomy()
        if self.settings.scenarios is None:
            return tuple(scenario.id for scenario in taxonomy.scenarios)
        named = (taxonomy.resolve(name).id for name in self.settings.scenarios)
        return tuple(dict.fromkeys(named))
