"""From a config to all that a run needs, checked before the first call."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from ..agents import HUMAN, HumanJuror, Juror, Persona, load_persona, prompt_hashes
from ..datasets import ConfigurationError, load_dataset, load_taxonomy
from ..deliberation import PRESETS, Protocol, Rule, SeatInfo
from ..models import ChatModel, Modality, ModelSpec, Price, Sampled, Sampling, Switchboard
from ..targets import ModelTarget, RecordedTarget, Target
from ._config import (
    Config,
    JuryConfig,
    ModelConfig,
    ProtocolConfig,
    TargetConfig,
    key_from_environment,
)
from ._identity import without_secrets
from ._queries import Selection

Ask = Callable[[str], Awaitable[str]]

_HOW_CALLED = {"api_key_env", "timeout", "price"}
_NOT_IDENTITY = {
    "limits": True,
    "run": {"name", "directory", "cache"},
    "targets": {"__all__": _HOW_CALLED},
    "jury": {"jurors": {"__all__": _HOW_CALLED}, "foreperson": _HOW_CALLED},
}
"""What may change between a run and its repeat."""


@dataclass(frozen=True, slots=True)
class Chair:
    """One place on the jury, before its agent is made.

    Attributes:
        info: What others are told of it.
        persona: What it looks for, None for a person.
        spec: The model behind it, None for a person.
        sampling: How words are drawn.
    """

    info: SeatInfo
    persona: Persona | None
    spec: ModelSpec | None
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class Bench:
    """A jury, before its agents are made.

    Attributes:
        chairs: The places, in order.
        protocol: How they deliberate, already checked.
        foreperson: The model that sums up, None leaves it out.
        summing: How the foreperson's words are drawn.
        max_tokens: Cap on the tokens of a ballot.
        seed: Seed of the jurors' models.
    """

    chairs: tuple[Chair, ...]
    protocol: Protocol
    foreperson: ModelSpec | None
    summing: Sampling
    max_tokens: int
    seed: int

    @property
    def infos(self) -> tuple[SeatInfo, ...]:
        """What others are told of the places."""
        return tuple(chair.info for chair in self.chairs)

    @property
    def has_person(self) -> bool:
        """Whether the person at the terminal is on the jury."""
        return any(chair.persona is None for chair in self.chairs)

    def seat(
        self, switchboard: Switchboard, *, ask: Ask | None = None
    ) -> dict[str, Juror | HumanJuror]:
        """Make the agents, by seat name.

        Args:
            switchboard: Opens their models.
            ask: Asks the person on the jury, None for the plain terminal.
        """
        return {chair.info.seat: self._agent(chair, switchboard, ask) for chair in self.chairs}

    def summing_model(self, switchboard: Switchboard) -> ChatModel | None:
        """Open the foreperson's model."""
        if self.foreperson is None:
            return None
        return Sampled(switchboard.open(self.foreperson), self.summing, self.seed)

    def _agent(self, chair: Chair, switchboard: Switchboard, ask: Ask | None) -> Juror | HumanJuror:
        if chair.persona is None or chair.spec is None:
            return HumanJuror(chair.info.seat, ask=ask)
        return Juror(
            chair.info.seat,
            chair.persona,
            switchboard.open(chair.spec),
            sampling=chair.sampling,
            seed=self.seed,
            max_tokens=self.max_tokens,
        )


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
    """

    config: Config
    folder: Path
    selection: Selection
    targets: Mapping[str, ModelSpec]
    recorded: Mapping[str, RecordedTarget]
    bench: Bench

    @property
    def total(self) -> int:
        """Number of cases."""
        return len(self.selection) * len(self.config.targets) * self.config.run.epochs

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
    return Setup(config, folder, selection, targets, recorded, bench)


def _dataset_path(name: str, folder: Path) -> str | Path:
    bundled = "/" not in name and not name.endswith(".jsonl")
    return name if bundled else _in(folder, name)


def _in(folder: Path, name: str) -> Path:
    return folder / Path(name).expanduser()


def model_spec(config: ModelConfig) -> ModelSpec:
    """Return the spec of a configured model, its key read from the environment.

    Raises:
        ConfigurationError: The key's variable is not set, or the model is nowhere.
    """
    taken: set[Modality] = {"text"}
    taken |= {"image"} if config.images else set()
    taken |= {"audio"} if config.audio else set()
    spec = ModelSpec(
        config.model,
        config.base_url,
        key_from_environment(config.api_key_env),
        config.timeout,
        frozenset(taken),
        config.json_schema,
        None
        if config.price is None
        else Price(config.price.input, config.price.output, config.price.cached_input),
    )
    if spec.base_url is None and "/" not in spec.model:
        raise ConfigurationError(
            f"the model {spec.model!r} has no base_url: add one, or write provider/model, "
            "such as openai/gpt-4o, or embedded/smollm2"
        )
    return spec


def seat_bench(config: JuryConfig, folder: Path, *, seed: int) -> Bench:
    """Return the jury of a config, with its protocol checked.

    Raises:
        ConfigurationError: A persona, a key or the protocol does not fit.
    """
    protocol = make_protocol(config.protocol)
    protocol.check(len(config.jurors))
    if protocol.summary == "always" and config.foreperson is None:
        raise ConfigurationError(
            f"the protocol {protocol.name!r} always sums up, but nobody is there to do it: "
            "name a model as jury.foreperson, or set jury.protocol.summary to never"
        )
    chairs: list[Chair] = []
    for juror in config.jurors:
        persona, spec = None, None
        if not juror.is_human:
            persona = load_persona(juror.persona, relative_to=folder)
            spec = model_spec(juror.as_model(persona.model))
        name = juror.name or _free_name(
            persona.name if persona else HUMAN, {chair.info.seat for chair in chairs}
        )
        if name in {chair.info.seat for chair in chairs}:
            raise ConfigurationError(f"two jurors are named {name!r}: give each its own name")
        own = persona.sampling if persona else None
        sampling = Sampling(
            juror.temperature if juror.temperature is not None else own and own.temperature,
            juror.top_p if juror.top_p is not None else own and own.top_p,
        )
        info = SeatInfo(
            name,
            persona.name if persona else HUMAN,
            persona.title if persona else "Person at the terminal",
            spec.model if spec else HUMAN,
        )
        chairs.append(Chair(info, persona, spec, sampling))
    foreperson, summing = None, Sampling()
    if config.foreperson is not None:
        foreperson = model_spec(config.foreperson)
        summing = Sampling(config.foreperson.temperature, config.foreperson.top_p)
    return Bench(tuple(chairs), protocol, foreperson, summing, config.max_tokens, seed)


def _free_name(wanted: str, taken: set[str]) -> str:
    """Return the name, with the first free number behind it if it is taken."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def make_protocol(config: str | ProtocolConfig) -> Protocol:
    """Return the protocol that a config names or describes."""
    if isinstance(config, str):
        return PRESETS[config]
    base = PRESETS[config.preset]
    return replace(
        base,
        talk=config.talk or base.talk,
        rounds=config.rounds or base.rounds,
        rule=Rule(config.rule or base.rule.name, config.k, config.tie),
        stop=config.stop or base.stop,
        summary=config.summary or base.summary,
        jurors=config.jurors or base.jurors,
    )
