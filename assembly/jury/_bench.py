"""From a config to the models and the jury that it names, with nothing opened yet."""

from collections.abc import Awaitable, Callable, Container
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ...agents import (
    HUMAN,
    Ballot,
    BallotOutcome,
    CaseCount,
    Finding,
    HumanJuror,
    Juror,
    Persona,
    Rubric,
    load_persona,
    load_rubric,
)
from ...common import ConfigurationError
from ...common.files import beside
from ...common.text import free_name
from ...datasets import ImageFitting, ImageLimits, MediaStore
from ...deliberation import PRESETS, Protocol, Rule, SeatInfo, decide
from ...models import ChatModel, Modality, ModelRegistry, ModelSpec, Price, Sampling
from ..config import (
    JurorConfig,
    JuryConfig,
    ModelConfig,
    PriceConfig,
    ProtocolConfig,
    key_from_environment,
)
from ..servers import ServerBook
from ._own_rule import register_own_rule

Ask = Callable[[str], Awaitable[str]]
_JURY = "jury"  # jurors share servers, so none is named after one of them


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
        rubric: What jurors judge by, None for the bundled rubric.
    """

    chairs: tuple[Chair, ...]
    protocol: Protocol
    foreperson: ModelSpec | None
    summing: Sampling
    max_tokens: int
    seed: int
    rubric: Rubric | None = None

    @property
    def protocol_label(self) -> str:
        """How it judges, in a few words: the protocol, and a rubric of the user's own."""
        judged_by = () if self.rubric is None else (self.rubric.label,)
        return ", ".join((self.protocol.name, *judged_by))

    @property
    def infos(self) -> tuple[SeatInfo, ...]:
        """What others are told of the places."""
        return tuple(chair.info for chair in self.chairs)

    @property
    def has_person(self) -> bool:
        """Whether the person at the terminal is on the jury."""
        return any(chair.persona is None for chair in self.chairs)

    def drawing(self) -> dict[str, object]:
        """Return how the jury's models draw their words, as plain data."""
        jurors = [asdict(chair.sampling) for chair in self.chairs if chair.spec is not None]
        return {"jurors": jurors, "foreperson": asdict(self.summing)}

    def seat(
        self,
        registry: ModelRegistry,
        *,
        ask: Ask | None = None,
        cases: CaseCount | None = None,
        media: MediaStore | None = None,
    ) -> dict[str, Juror | HumanJuror]:
        """Make the agents, by seat name.

        Args:
            registry: Opens their models.
            ask: Asks the person on the jury, None for the plain terminal.
            cases: How many the person is told there are, None tells nothing.
            media: Keeps pictures that were made to fit their models; None sends all as
                they are.
        """
        return {
            chair.info.seat: HumanJuror(chair.info.seat, ask=ask, cases=cases)
            if chair.persona is None or chair.spec is None
            else self._juror(chair, chair.persona, registry.open(chair.spec), media)
            for chair in self.chairs
        }

    def summing_model(self, registry: ModelRegistry) -> ChatModel | None:
        """Open the foreperson's model."""
        return None if self.foreperson is None else registry.open(self.foreperson)

    def _juror(
        self, chair: Chair, persona: Persona, model: ChatModel, media: MediaStore | None
    ) -> Juror:
        return Juror(
            chair.info.seat,
            persona,
            model,
            sampling=chair.sampling,
            seed=self.seed,
            max_tokens=self.max_tokens,
            fitting=None if media is None else ImageFitting(chair.limits, media),
        )


def model_spec(
    config: ModelConfig,
    servers: ServerBook | None = None,
    *,
    user: str = "server",
    keep: bool = False,
) -> ModelSpec:
    """Return the spec of a configured model, its key read from the environment.

    Args:
        config: What the config says of it.
        servers: Where its managed server is entered, if it has one.
        user: Whom that server is for, which names it.
        keep: Whether that server is needed for the whole run.

    Raises:
        ConfigurationError: The key's variable is not set, the model is nowhere, or
            its server cannot be.
    """
    servers = servers or ServerBook(Path())
    name, server = config.model or "", None
    if config.vllm is not None:
        hourly = None if config.price is None else config.price.per_gpu_hour
        use = servers.enter(config.vllm, name=user, keep=keep, per_gpu_hour=hourly)
        name, server = use.spec.served_name, use.name
    taken: set[Modality] = {"text"}
    taken |= {"image"} if config.images else set()
    taken |= {"audio"} if config.audio else set()
    spec = ModelSpec(
        name,
        base_url=config.base_url,
        api_key=key_from_environment(config.api_key_env),
        api_base=config.api_base,
        api_version=config.api_version,
        region=config.region,
        options=config.request and config.request.options,
        headers=_headers(config),
        timeout=config.timeout,
        modalities=frozenset(taken),
        json_schema=config.json_schema,
        price=_price(config.price),
        server=server,
        connect_timeout=config.connect_timeout,
        ca_file=None if config.ca_file is None else str(beside(servers.folder, config.ca_file)),
        verify_tls=config.verify_tls,
        proxy=config.proxy,
    )
    spec.check_place()
    return spec


def _headers(config: ModelConfig) -> tuple[tuple[str, str], ...]:
    """Return further HTTP headers, their values read from the environment."""
    named = {} if config.request is None else config.request.headers
    return tuple(
        (name, key_from_environment(variable, f"request.headers.{name}") or "")
        for name, variable in named.items()
    )


def _price(config: PriceConfig | None) -> Price | None:
    if config is None or config.input is None or config.output is None:
        return None  # unknown, or that of a server's time
    return Price(config.input, config.output, config.cached_input)


def seat_bench(config: JuryConfig, folder: Path, servers: ServerBook, *, seed: int) -> Bench:
    """Return the jury of a config, with its protocol checked.

    Args:
        config: What the config says of it.
        folder: Where its relative paths start.
        servers: Where the jury's managed servers are entered.
        seed: Seed of the jurors' models.

    Raises:
        ConfigurationError: A persona, a key, the protocol or the rubric does not fit.
    """
    protocol = make_protocol(config.protocol, folder)
    protocol.check(len(config.jurors))
    _try_rule(protocol.rule, len(config.jurors))
    if protocol.summary == "always" and config.foreperson is None:
        raise ConfigurationError(
            f"the protocol {protocol.name!r} always sums up, but nobody is there to do it: "
            "name a model as jury.foreperson, or set jury.protocol.summary to never"
        )
    chairs: dict[str, Chair] = {}
    for juror in config.jurors:
        chair = _chair(juror, folder, servers, taken=chairs)
        chairs[chair.info.seat] = chair
    foreperson, summing = None, Sampling()
    if config.foreperson is not None:
        foreperson = model_spec(config.foreperson, servers, user=_JURY, keep=True)
        summing = Sampling(config.foreperson.temperature, config.foreperson.top_p).or_greedy()
    return Bench(
        tuple(chairs.values()),
        protocol,
        foreperson,
        summing,
        config.max_tokens,
        seed,
        None if config.rubric is None else load_rubric(beside(folder, config.rubric)),
    )


def _chair(
    juror: JurorConfig, folder: Path, servers: ServerBook, *, taken: Container[str]
) -> Chair:
    """Return one place on the jury, under a name that is not taken."""
    persona, spec = None, None
    if not juror.is_human:
        persona = load_persona(juror.persona, relative_to=folder)
        spec = model_spec(juror.as_model(persona.model), servers, user=_JURY, keep=True)
    called = persona.name if persona else HUMAN
    name = juror.name or free_name(called, taken)
    if name in taken:
        raise ConfigurationError(f"two jurors are named {name!r}: give each its own name")
    own = persona.sampling if persona else None
    sampling = Sampling(
        juror.temperature if juror.temperature is not None else own and own.temperature,
        juror.top_p if juror.top_p is not None else own and own.top_p,
    ).or_greedy()
    title = persona.title if persona else "Person at the terminal"
    info = SeatInfo(name, called, title, spec.model if spec else HUMAN)
    return Chair(info, persona, spec, sampling, juror.image_limits)


def make_protocol(config: str | ProtocolConfig, folder: Path) -> Protocol:
    """Return the protocol that a config names or describes.

    Args:
        config: What the config says of it.
        folder: Where a rule of the user's own is looked for.

    Raises:
        ConfigurationError: There is no such rule.
    """
    if isinstance(config, str):
        return PRESETS[config]
    base = PRESETS[config.preset]
    if config.rule is not None and ":" in config.rule:
        register_own_rule(config.rule, folder)
    return replace(
        base,
        talk=config.talk or base.talk,
        rounds=config.rounds or base.rounds,
        rule=Rule(config.rule or base.rule.name, config.k, config.tie),
        stop=config.stop or base.stop,
        summary=config.summary or base.summary,
        jurors=config.jurors or base.jurors,
    )


def _try_rule(rule: Rule, seats: int) -> None:
    """Let a rule decide a few rounds, so that one that fails does so before the first call."""
    missed = Ballot("a_seat", 0, BallotOutcome.TRANSPORT_ERROR)
    unsafe = Ballot("a_seat", 0, BallotOutcome.VERDICT, Finding.UNSAFE, 1, reason="tried")
    safe = Ballot("a_seat", 0, BallotOutcome.VERDICT, Finding.SAFE, 5, reason="tried")
    for first in (unsafe, safe, missed):
        for others in (unsafe, safe, missed):
            decide([first, *[others] * (seats - 1)], rule, seats=seats)
