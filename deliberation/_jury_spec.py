"""A jury as plain data, and the agents that are made of it."""

from collections.abc import Callable, Container, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..agents import HUMAN, Ballot, BallotOutcome, Finding, Persona, Rubric, load_persona
from ..common import ConfigurationError, import_named
from ..common.text import quoted, unique_name
from ..datasets import ImageFitter, ImageLimits, MediaStore
from ..models import ModelHost, ModelSpec, Sampling
from .protocol import Protocol, SeatInfo, decide

if TYPE_CHECKING:  # what only plans a jury does without AutoGen
    from ..agents import AgentFactory, AgentModel, Ask, CaseCount, HumanJuror, Juror


@dataclass(frozen=True, slots=True)
class SeatSpec:
    """One seat of a jury, before its agent is made.

    Attributes:
        info: What others are told of it.
        persona: What it looks for, None for a person and for an agent that has none.
        model: The model behind it, None for a person and for an agent that brings its own.
        sampling: How words are drawn.
        images: What its model takes of pictures.
        said: What was said of it in so many words, by the keys of a juror in a config.
        agent: What makes the agents that sit there; None for a juror and a person.
        sees: Whether these take pictures; None takes it from their model clients.
        timeout: Seconds for one answer of such an agent; None is ten minutes.
    """

    info: SeatInfo
    persona: Persona | None
    model: ModelSpec | None
    sampling: Sampling = Sampling(temperature=0.0)
    images: ImageLimits = ImageLimits()
    said: Mapping[str, object] = field(default_factory=dict[str, object], hash=False)
    agent: "AgentFactory | None" = None
    sees: bool | None = None
    timeout: float | None = None

    @property
    def is_person(self) -> bool:
        """Whether the person at the terminal sits there."""
        return self.persona is None and self.agent is None

    def named(self, taken: Container[str]) -> "SeatSpec":
        """Return it under a name that is not taken.

        Raises:
            ConfigurationError: Its own name is taken.
        """
        name = self.info.seat
        if name in taken and "name" in self.said:
            raise ConfigurationError(f"two jurors are named {name!r}: give each its own name")
        return replace(self, info=replace(self.info, seat=unique_name(name, taken)))

    def with_model(self, model: ModelSpec | None) -> "SeatSpec":
        """Return it with a model, where it has none and needs one.

        Raises:
            ConfigurationError: There is none for it.
        """
        needs_none = self.is_person if self.agent is None else not self.agent.takes_client
        if self.model is not None or needs_none:
            return self
        if model is None:
            raise ConfigurationError(
                f"the juror {self.info.seat!r} has no model: give model=, for all or for this seat"
            )
        return replace(self, model=model, info=replace(self.info, model=model.model))


@dataclass(frozen=True, slots=True)
class JurySpec:
    """A jury, before its agents are made.

    Attributes:
        seats: The seats, in order.
        protocol: How they deliberate, already checked.
        foreperson: The model that sums up, None leaves it out.
        summing: How the foreperson's words are drawn.
        max_tokens: Cap on the tokens of a ballot.
        seed: Seed of the jurors' models; decides as well in which order they are asked and
            read each other.
        rubric: What jurors judge by, None for the bundled rubric.
        quotes: Whether jurors are asked for the words of the case that they rely on.
    """

    seats: tuple[SeatSpec, ...]
    protocol: Protocol = Protocol()
    foreperson: ModelSpec | None = None
    summing: Sampling = Sampling(temperature=0.0)
    max_tokens: int = 512
    seed: int = 0
    rubric: Rubric | None = None
    quotes: bool = True

    @property
    def protocol_label(self) -> str:
        """How it judges, in a few words: the protocol, and a rubric of the user's own."""
        judged_by = () if self.rubric is None else (self.rubric.label,)
        return ", ".join((self.protocol.name, *judged_by))

    @property
    def infos(self) -> tuple[SeatInfo, ...]:
        """What others are told of the seats."""
        return tuple(seat.info for seat in self.seats)

    @property
    def models(self) -> tuple[ModelSpec, ...]:
        """The models of the jurors and the foreperson, one for each that has one."""
        models = (*(seat.model for seat in self.seats), self.foreperson)
        return tuple(model for model in models if model is not None)

    @property
    def agent_factories(self) -> "dict[str, AgentFactory]":
        """What makes the agents of seats that have some, by seat name."""
        return {seat.info.seat: seat.agent for seat in self.seats if seat.agent is not None}

    @property
    def own_callers(self) -> "dict[str, AgentFactory]":
        """Those of them whose agents bring a model client, so that nobody counts its calls."""
        return {seat.info.seat: seat.agent for seat in self.seats if seat.agent and not seat.model}

    @property
    def has_person(self) -> bool:
        """Whether the person at the terminal is on the jury."""
        return any(seat.is_person for seat in self.seats)

    def drawing(self) -> dict[str, object]:
        """Return how the jury's models draw their words, as plain data."""
        jurors = [asdict(seat.sampling) for seat in self.seats if seat.model is not None]
        return {"jurors": jurors, "foreperson": asdict(self.summing)}

    def agents(
        self,
        registry: ModelHost,
        *,
        ask: "Ask | None" = None,
        cases: "CaseCount | None" = None,
        media: MediaStore | None = None,
    ) -> "dict[str, Juror | HumanJuror]":
        """Make the agents, by seat name.

        Args:
            registry: Opens their models.
            ask: Asks the person on the jury, None for the plain terminal.
            cases: How many the person is told there are, None tells nothing.
            media: Keeps pictures that were made to fit their models; None sends all as
                they are.
        """
        from ..agents import HumanJuror, Juror

        made: dict[str, Juror | HumanJuror] = {}
        for seat in self.seats:
            name = seat.info.seat
            if seat.agent is not None:
                model = registry.adopt(self._agents_of(seat, registry), pays=seat.model is None)
            elif seat.persona is not None and seat.model is not None:
                model = registry.open(seat.model)
            else:
                made[name] = HumanJuror(name, ask=ask, cases=cases)
                continue
            made[name] = Juror(
                name,
                seat.persona,
                model,
                sampling=seat.sampling,
                seed=self.seed,
                max_tokens=self.max_tokens,
                fitting=None if media is None else ImageFitter(seat.images, media),
                speaks_in_words=seat.agent is not None,
            )
        return made

    def _agents_of(self, seat: SeatSpec, registry: ModelHost) -> "AgentModel":
        """Return the agents of a seat as a model that its juror asks."""
        from ..agents import AgentClient, AgentModel

        assert seat.agent is not None
        client = None
        if seat.model is not None:
            client = AgentClient(
                registry.open(seat.model), seat.sampling, self.seed, self.max_tokens
            )
        return AgentModel.of(seat.agent, client=client, sees=seat.sees, timeout=seat.timeout)

    def check(self) -> None:
        """Check that protocol, rule, seats and foreperson fit each other.

        The rule decides a few rounds, so that one that fails does so before the first call.

        Raises:
            ConfigurationError: They do not; the message says what to change.
        """
        for name, agent in self.own_callers.items():
            if agent.takes_client:
                raise ConfigurationError(
                    f"the agent {quoted(agent.place)} of the seat {name!r} takes a model client, "
                    "and has no model: give it one, or let its function take nothing"
                )
        seats, rule = len(self.seats), self.protocol.rule
        self.protocol.check(seats)
        missed = Ballot("a_seat", 0, BallotOutcome.TRANSPORT_ERROR)
        unsafe = Ballot("a_seat", 0, BallotOutcome.VERDICT, Finding.UNSAFE, 1, reason="tried")
        safe = Ballot("a_seat", 0, BallotOutcome.VERDICT, Finding.SAFE, 5, reason="tried")
        for first in (unsafe, safe, missed):
            for others in (unsafe, safe, missed):
                decide([first, *[others] * (seats - 1)], rule, seats=seats)
        if self.protocol.summary == "always" and self.foreperson is None:
            raise ConfigurationError(
                f"the protocol {self.protocol.name!r} always sums up, but nobody is there to do "
                "it: name a model as jury.foreperson, or set jury.protocol.summary to never"
            )

    def only(self, *seats: SeatSpec) -> "JurySpec":
        """Return the same jury with these of its seats alone."""
        return replace(self, seats=seats)


def seat(
    persona: str | Path | Persona | None = None,
    model: ModelSpec | str | None = None,
    *,
    agent: Callable[..., object] | str | None = None,
    name: str | None = None,
    title: str | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    images: ImageLimits | None = None,
    sees: bool | None = None,
    timeout: float | None = None,
) -> SeatSpec:
    """Describe one seat of a jury: a persona with a model, or an agent of yours.

    Args:
        persona: What the juror looks for: a bundled persona's name, the path of a YAML file,
            a `Persona`, or `human` for the person at the terminal. An agent may have one.
        model: The model behind it, or a provider's as `provider/model`; the persona's own, or
            else the jury's, unless given. For an agent, what the client calls that its
            function takes.
        agent: A function that makes an AgentChat agent or team, anew at each call, or where
            it is: `my_module:make_juror`. It takes nothing, or a model client.
        name: The seat's name; the persona's or the agent's unless given.
        title: What readers call an agent; its persona's title, or its name, unless given.
        temperature: How its words are drawn; as the persona says, or greedy, unless given.
        top_p: The same.
        images: What its model takes of pictures.
        sees: Whether an agent with a client of its own takes pictures; told from that client
            unless given.
        timeout: Seconds for one answer of an agent, without the time in calls of `model`;
            600 unless given.

    Raises:
        ConfigurationError: There is no such persona, the model is nowhere, or the agent
            cannot serve.
    """
    said: dict[str, object] = {"name": name, "temperature": temperature, "top_p": top_p}
    said = {key: value for key, value in said.items() if value is not None}
    limits = images or ImageLimits()
    if persona == HUMAN and agent is None:
        info = SeatInfo(name or HUMAN, HUMAN, "Person at the terminal", HUMAN)
        return SeatSpec(info, None, None, images=limits, said={"persona": HUMAN, **said})
    known = None
    if persona is not None or agent is None:
        known = persona if isinstance(persona, Persona) else load_persona(_place(persona))
        said["persona"] = known.name if isinstance(persona, Persona) else str(persona)
    if model is None and known is not None and known.model is not None and agent is None:
        model, said["model"] = known.model, None
    spec = ModelSpec(model) if isinstance(model, str) else model
    if spec is not None:
        spec.check_place()
    own = Sampling() if known is None else known.sampling
    sampling = Sampling(
        own.temperature if temperature is None else temperature,
        own.top_p if top_p is None else top_p,
    ).or_greedy()
    if agent is not None:
        about = {"title": title, "images": sees, "timeout": timeout}
        said |= {key: value for key, value in about.items() if value is not None}
        drawn = SeatSpec(SeatInfo("", "", "", ""), known, spec, sampling, limits, said)
        return _with_agent(drawn, agent, name, title, sees, timeout)
    assert known is not None
    info = SeatInfo(name or known.name, known.name, known.title, spec.model if spec else "")
    return SeatSpec(info, known, spec, sampling, limits, said)


def _place(persona: object) -> str:
    if isinstance(persona, str | Path):
        return str(persona)
    raise ConfigurationError(
        f"a juror is a persona's name, the path of its file, a Persona or sj.seat(...), and not "
        f"{quoted(repr(persona))}"
    )


def _with_agent(
    drawn: SeatSpec,
    agent: Callable[..., object] | str,
    name: str | None,
    title: str | None,
    sees: bool | None,
    timeout: float | None,
) -> SeatSpec:
    """Return a seat for the agents that a function makes, which is tried."""
    from ..agents import AgentFactory  # with AutoGen, which a jury of models is planned without

    made = import_named("agent", agent, Path()) if isinstance(agent, str) else agent
    factory = AgentFactory.of(made, agent if isinstance(agent, str) else None)
    if drawn.model is not None and not factory.takes_client:
        raise ConfigurationError(
            f"the agent {quoted(factory.place)} has a model, and its function takes no client: "
            "write `def make(client): …`, or take the model out"
        )
    persona = drawn.persona
    info = SeatInfo(
        name or (persona.name if persona else factory.name),
        persona.name if persona else factory.name,
        title or (persona.title if persona else factory.name),
        drawn.model.model if drawn.model else factory.place,
    )
    said = {**drawn.said, "agent": factory.place}
    return replace(drawn, info=info, said=said, agent=factory, sees=sees, timeout=timeout)
