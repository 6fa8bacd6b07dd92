"""Turns the config of `safejury generate` into settings and models."""

from dataclasses import dataclass
from pathlib import Path

from ...assembly.config import ModelConfig, check_keys, key_from_environment
from ...assembly.models import model_spec
from ...assembly.servers import ServerBook
from ...common import ConfigurationError
from ...common.files import is_written_as_path, resolve_path
from ...models import ModelRegistry, ModelSpec, Sampling
from ...targets import ServerUse
from ..calls import NamedModel, StageModels
from ..items import (
    GenerationSettings,
    PictureSettings,
    QuerySettings,
    SpeechSettings,
    TaxonomySettings,
    TwinSettings,
)
from ._shape import (
    GenerateConfig,
    PicturesConfig,
    QueriesConfig,
    SpeechConfig,
    TaxonomyConfig,
)


@dataclass(frozen=True, slots=True)
class Role:
    """A role and the model that fills it, not yet opened.

    Attributes:
        name: Its name in the set's records.
        spec: Its model.
        sampling: How its words are drawn.
    """

    name: str
    spec: ModelSpec
    sampling: Sampling

    def open(self, registry: ModelRegistry) -> NamedModel:
        """Open its model."""
        return NamedModel(self.name, registry.open(self.spec), self.sampling)


@dataclass(frozen=True, slots=True)
class GenerateSetup:
    """Everything that is needed to make a set, checked, with nothing opened yet.

    Attributes:
        config: What it was made from.
        settings: What the set is to be like.
        panel: Proposes and judges.
        generator: Writes.
        foreperson: Merges and groups.
        describer: Describes scenes.
        viewer: Judges pictures; None for no viewer.
        servers: The managed servers of all these.
    """

    config: GenerateConfig
    settings: GenerationSettings
    panel: tuple[Role, ...]
    generator: Role
    foreperson: Role
    describer: Role
    viewer: Role | None
    servers: tuple[ServerUse, ...]

    @property
    def directory(self) -> Path:
        """The set's folder."""
        return resolve_path(Path(), self.config.set.directory) / self.config.set.name

    @property
    def roles(self) -> tuple[Role, ...]:
        """All roles, the panel first, each name once."""
        others = (self.generator, self.foreperson, self.describer, self.viewer)
        named = {role.name: role for role in (*self.panel, *others) if role is not None}
        return tuple(named.values())

    @property
    def uses_embedded(self) -> bool:
        """Whether the embedded model takes part, which makes poor sets."""
        return any(role.spec.is_embedded for role in self.roles)

    def open_models(self, registry: ModelRegistry) -> StageModels:
        """Open the models of all roles."""
        return StageModels(
            tuple(role.open(registry) for role in self.panel),
            self.generator.open(registry),
            self.foreperson.open(registry),
            self.describer.open(registry),
            None if self.viewer is None else self.viewer.open(registry),
        )


def set_up_generation(
    config: GenerateConfig, folder: Path, *, authorized: bool = False
) -> GenerateSetup:
    """Check everything that can be checked without a call.

    Args:
        config: The config.
        folder: Where its relative paths start.
        authorized: Whether the user said on the command line that they may do this.

    Raises:
        ConfigurationError: No purpose is given, or something does not fit.
    """
    if config.purpose is None and not authorized:
        raise ConfigurationError(
            "harmful queries are for authorized evaluation only: state what the set is for as "
            "`purpose:` in the config, or add --i-am-authorized"
        )
    check_keys(config)
    servers = ServerBook(folder)
    panel = tuple(_role(member.name, member, servers) for member in config.panel)
    generator = _role("generator", config.generator, servers)
    pictures = config.pictures
    foreperson, describer, viewer = generator, generator, None
    if config.foreperson is not None:
        foreperson = _role("foreperson", config.foreperson, servers)
    if pictures is not None and pictures.describer is not None:
        describer = _role("describer", pictures.describer, servers)
    if pictures is not None and pictures.viewer is not None:
        viewer = _viewer(pictures.viewer, servers)
    settings = _settings(config, folder)
    return GenerateSetup(
        config, settings, panel, generator, foreperson, describer, viewer, servers.uses
    )


def _viewer(config: ModelConfig, servers: ServerBook) -> Role:
    viewer = _role("viewer", config, servers)
    if "image" not in viewer.spec.modalities:
        raise ConfigurationError(
            "pictures.viewer does not accept images: set its `images:` to true"
        )
    return viewer


def _role(name: str, config: ModelConfig, servers: ServerBook) -> Role:
    spec = model_spec(_as_model(config), servers, user=name, keep=True)
    return Role(name, spec, Sampling(config.temperature, config.top_p))


def _as_model(config: ModelConfig) -> ModelConfig:
    said = config.model_dump(exclude={"name"}, exclude_unset=True)
    return ModelConfig.model_validate(said)


def _settings(config: GenerateConfig, folder: Path) -> GenerationSettings:
    return GenerationSettings(
        name=config.set.name,
        purpose=config.purpose or "authorized evaluation (stated on the command line)",
        license=config.set.license,
        seed=config.set.seed,
        scenarios=None if config.scenarios is None else tuple(config.scenarios),
        taxonomy=_taxonomy(config.taxonomy)
        if isinstance(config.taxonomy, TaxonomyConfig)
        else None,
        queries=_queries(config.queries),
        twins=None
        if config.twins is None
        else TwinSettings(config.twins.attempts, config.twins.most_harm),
        pictures=None if config.pictures is None else _pictures(config.pictures, folder),
        speech=None if config.speech is None else _speech(config.speech, folder),
        max_tokens=config.set.max_tokens,
    )


def _taxonomy(config: TaxonomyConfig) -> TaxonomySettings:
    return TaxonomySettings(
        samples=config.samples,
        scenarios=config.scenarios,
        categories=config.categories,
        similarity=config.similarity,
        votes=config.votes,
        harm_weight=config.harm_weight,
    )


def _queries(config: QueriesConfig) -> QuerySettings:
    return QuerySettings(
        per_scenario=config.per_scenario,
        over_generate=config.over_generate,
        batch=config.batch,
        revisions=config.revisions,
        feasibility=config.weights.feasibility,
        harmfulness=config.weights.harmfulness,
        applicability=config.weights.applicability,
        diversity=config.diversity,
        near_duplicate=config.near_duplicate,
    )


def _pictures(config: PicturesConfig, folder: Path) -> PictureSettings:
    return PictureSettings(
        renderer=config.renderer,
        fallback=config.fallback,
        rounds=config.rounds,
        good_fit=config.good_fit,
        size=config.size,
        near_duplicate=config.near_duplicate,
        base_url=config.base_url,
        model=_drawing_model(config, folder),
        api_key=key_from_environment(config.api_key_env),
        price=config.price,
        font=None if config.font is None else str(resolve_path(folder, config.font).absolute()),
        nsfw_model=_path(config.nsfw_model, folder),
    )


def _drawing_model(config: PicturesConfig, folder: Path) -> str | None:
    """Return the model's name; that of a pipeline on this machine may be a path."""
    is_here = "diffusers" in (config.renderer, config.fallback)
    return _path(config.model, folder) if is_here else config.model


def _path(name: str | None, folder: Path) -> str | None:
    """Return a name unchanged, and a relative path from the config's folder."""
    if name is None or not is_written_as_path(name):
        return name
    return str(resolve_path(folder, name).absolute())


def _speech(config: SpeechConfig, folder: Path) -> SpeechSettings:
    model = config.model
    if config.speaker == "piper" and model is not None:
        model = str(resolve_path(folder, model).absolute())
    return SpeechSettings(
        speaker=config.speaker,
        voices=tuple(dict.fromkeys(config.voices)),
        loudness=config.loudness,
        base_url=config.base_url,
        model=model,
        api_key=key_from_environment(config.api_key_env),
        price=config.price,
        program=_path(config.program, folder),
        whisper=_path(config.whisper, folder),
    )
