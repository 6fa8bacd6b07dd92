"""From a config to the models and the jury that it names, with nothing opened yet."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..agents import HUMAN, HumanJuror, Juror, Persona, load_persona
from ..datasets import ConfigurationError, ImageFitting, ImageLimits, MediaStore
from ..deliberation import PRESETS, Protocol, Rule, SeatInfo
from ..models import ChatModel, Modality, ModelSpec, Price, Sampled, Sampling, Switchboard
from ._config import key_from_environment
from ._config_shape import JuryConfig, ModelConfig, ProtocolConfig
from ._servers import ServerBook

Ask = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Chair:
    """One place on the jury, before its agent is made.

    Attributes:
        info: What others are told of it.
        persona: What it looks for, None for a person.
        spec: The model behind it, None for a person.
        sampling: How words are drawn.
        limits: What its model takes of pictures.
    """

    info: SeatInfo
    persona: Persona | None
    spec: ModelSpec | None
    sampling: Sampling
    limits: ImageLimits


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
        self,
        switchboard: Switchboard,
        *,
        ask: Ask | None = None,
        media: MediaStore | None = None,
    ) -> dict[str, Juror | HumanJuror]:
        """Make the agents, by seat name.

        Args:
            switchboard: Opens their models.
            ask: Asks the person on the jury, None for the plain terminal.
            media: Keeps pictures that were made to fit their models; None sends all as
                they are.
        """
        return {
            chair.info.seat: self._agent(chair, switchboard, ask, media) for chair in self.chairs
        }

    def summing_model(self, switchboard: Switchboard) -> ChatModel | None:
        """Open the foreperson's model."""
        if self.foreperson is None:
            return None
        return Sampled(switchboard.open(self.foreperson), self.summing, self.seed)

    def _agent(
        self, chair: Chair, switchboard: Switchboard, ask: Ask | None, media: MediaStore | None
    ) -> Juror | HumanJuror:
        if chair.persona is None or chair.spec is None:
            return HumanJuror(chair.info.seat, ask=ask)
        return Juror(
            chair.info.seat,
            chair.persona,
            switchboard.open(chair.spec),
            sampling=chair.sampling,
            seed=self.seed,
            max_tokens=self.max_tokens,
            fitting=None if media is None else ImageFitting(chair.limits, media),
        )


def model_spec(
    config: ModelConfig, servers: ServerBook | None = None, *, keep: bool = False
) -> ModelSpec:
    """Return the spec of a configured model, its key read from the environment.

    Args:
        config: What the config says of it.
        servers: Where its managed server is entered, if it has one.
        keep: Whether that server is needed for the whole run.

    Raises:
        ConfigurationError: The key's variable is not set, the model is nowhere, or
            its server cannot be.
    """
    name, server = config.model or "", None
    if config.vllm is not None:
        use = (servers or ServerBook(Path())).enter(config.vllm, keep=keep)
        name, server = use.spec.served_name, use.name
    taken: set[Modality] = {"text"}
    taken |= {"image"} if config.images else set()
    taken |= {"audio"} if config.audio else set()
    spec = ModelSpec(
        name,
        config.base_url,
        key_from_environment(config.api_key_env),
        config.timeout,
        frozenset(taken),
        config.json_schema,
        None
        if config.price is None
        else Price(config.price.input, config.price.output, config.price.cached_input),
        server,
        config.connect_timeout,
        _ca_file(config.ca_file, servers),
        config.verify_tls,
        config.proxy,
    )
    if spec.base_url is None and server is None and "/" not in spec.model:
        raise ConfigurationError(
            f"the model {spec.model!r} has no base_url: add one, or write provider/model, "
            "such as openai/gpt-4o, or embedded/smollm2"
        )
    return spec


def _ca_file(name: str | None, servers: ServerBook | None) -> str | None:
    if name is None:
        return None
    folder = servers.folder if servers is not None else Path()
    return str(folder / Path(name).expanduser())


def seat_bench(config: JuryConfig, folder: Path, servers: ServerBook, *, seed: int) -> Bench:
    """Return the jury of a config, with its protocol checked.

    Args:
        config: What the config says of it.
        folder: Where its relative paths start.
        servers: Where the jury's managed servers are entered.
        seed: Seed of the jurors' models.

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
            spec = model_spec(juror.as_model(persona.model), servers, keep=True)
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
        chairs.append(Chair(info, persona, spec, sampling, juror.image_limits))
    foreperson, summing = None, Sampling()
    if config.foreperson is not None:
        foreperson = model_spec(config.foreperson, servers, keep=True)
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
