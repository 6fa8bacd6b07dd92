"""From a config to all that a run needs, checked before the first call."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..agents import HUMAN, prompt_hashes
from ..datasets import Condition, ConfigurationError, load_dataset, load_taxonomy
from ..models import ModelSpec, Sampling, Switchboard
from ..targets import ModelTarget, RecordedTarget, Target
from ._bench import Bench, model_spec, seat_bench
from ._config_shape import Config, TargetConfig
from ._identity import without_secrets
from ._queries import Selection
from ._unit import Unit, applies, units

_HOW_CALLED = {"api_key_env", "timeout", "price"}
_NOT_IDENTITY = {
    "limits": True,
    "run": {"name", "directory", "cache"},
    "targets": {"__all__": _HOW_CALLED},
    "jury": {"jurors": {"__all__": _HOW_CALLED}, "foreperson": _HOW_CALLED},
}
"""What may change between a run and its repeat."""


@dataclass(frozen=True, slots=True)
class Setup:
    """All that a run needs, checked, with nothing opened yet.

    Attributes:
        config: What it was made from.
        folder: Where relative paths of the config start.
        selection: The queries to ask.
        targets: The specs of targets that are models, by name.
        recorded: The files of targets that are recorded responses, by name.
        bench: The jury.
        conditions: The ways in which queries are put.
        hosts: The managed servers of targets that have one, by the targets' names.
        total: Number of cases.
    """

    config: Config
    folder: Path
    selection: Selection
    targets: Mapping[str, ModelSpec]
    recorded: Mapping[str, RecordedTarget]
    bench: Bench
    conditions: tuple[Condition, ...]
    hosts: Mapping[str, str]
    total: int

    def units(self, *targets: str) -> Iterator[Unit]:
        """Yield all units of work of some targets, always in the same order."""
        return units(self.selection, targets, self.conditions, epochs=self.config.run.epochs)

    @property
    def directory(self) -> Path:
        """The run's directory."""
        return Path(self.config.run.directory).expanduser() / self.config.run.name

    @property
    def uses_embedded(self) -> bool:
        """Whether the embedded model takes part, so that verdicts mean nothing."""
        specs = [*self.targets.values(), self.bench.foreperson]
        specs += [chair.spec for chair in self.bench.chairs]
        return any(spec is not None and spec.is_embedded for spec in specs)

    def open_targets(self, switchboard: Switchboard) -> list[Target]:
        """Make the targets, in the order of the config."""
        return [self._target(target, switchboard) for target in self.config.targets]

    def _target(self, target: TargetConfig, switchboard: Switchboard) -> Target:
        if target.name in self.recorded:
            return self.recorded[target.name]
        return ModelTarget(
            target.name,
            switchboard.open(self.targets[target.name]),
            max_tokens=self.config.run.max_tokens,
            seed=self.config.run.seed,
            sampling=Sampling(target.temperature, target.top_p),
        )

    def plain(self, **options: Any) -> dict[str, Any]:
        """Return the config as plain data that names key variables and holds no secret."""
        data = self.config.model_dump(mode="json", **options)
        return cast(dict[str, Any], without_secrets(data))

    def identity(self) -> dict[str, object]:
        """Return all that decides what the results mean, as plain data."""
        config = self.plain(exclude=_NOT_IDENTITY)
        config["dataset"] = {
            "name": self.config.dataset,
            "sha256": self.selection.dataset.sha256,
        }
        config["responses"] = {
            target.name: _sha256(_in(self.folder, target.responses))
            for target in self.config.targets
            if target.responses is not None
        }
        config["personas"] = [
            chair.persona.model_dump(mode="json") if chair.persona else HUMAN
            for chair in self.bench.chairs
        ]
        config["prompts"] = prompt_hashes()
        return config


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def set_up(config: Config, folder: Path) -> Setup:
    """Check everything that can be checked without a call.

    Args:
        config: The run's config.
        folder: Where its relative paths start.

    Raises:
        ConfigurationError: Something does not fit; the message says what to change.
    """
    taxonomy = load_taxonomy()
    scenarios = (
        None
        if config.scenarios is None
        else frozenset(taxonomy.resolve(name).id for name in config.scenarios)
    )
    bench = seat_bench(config.jury, folder, seed=config.run.seed)
    targets = {
        target.name: model_spec(target.as_model())
        for target in config.targets
        if target.responses is None
    }
    recorded = {
        target.name: RecordedTarget(target.name, _in(folder, target.responses))
        for target in config.targets
        if target.responses is not None
    }
    dataset = load_dataset(_dataset_path(config.dataset, folder))
    selection = Selection.of(dataset, scenarios, config.limit)
    conditions = _conditions(config)
    puts = _count_puts(selection, conditions)
    return Setup(
        config,
        folder,
        selection,
        targets,
        recorded,
        bench,
        conditions,
        hosts={},
        total=puts * len(config.targets) * config.run.epochs,
    )


def _conditions(config: Config) -> tuple[Condition, ...]:
    return tuple(
        Condition(image, parts)
        for image in dict.fromkeys(config.images)
        for parts in dict.fromkeys(config.sound)
    )


def _count_puts(selection: Selection, conditions: Sequence[Condition]) -> int:
    """Return how often a target is asked in one epoch."""
    if conditions == (Condition(),):
        return len(selection)
    puts = sum(applies(condition, query) for query in selection for condition in conditions)
    if not puts:
        raise ConfigurationError(
            "no query has what `images:` or `sound:` would change: add `original` or `given`"
        )
    return puts


def _dataset_path(name: str, folder: Path) -> str | Path:
    bundled = "/" not in name and not name.endswith(".jsonl")
    return name if bundled else _in(folder, name)


def _in(folder: Path, name: str) -> Path:
    return folder / Path(name).expanduser()
