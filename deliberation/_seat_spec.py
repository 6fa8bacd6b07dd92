"""One seat of a jury as plain data: a persona, a person, an agent of the user's own, or a guard."""

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..agents import HUMAN, Controversial, GuardDialect, Persona, load_guard, load_persona
from ..common import ConfigurationError, import_named
from ..common.text import quoted, unique_name
from ..datasets import ImageLimits
from ..models import ModelSpec, Sampling
from .protocol import SeatInfo

if TYPE_CHECKING:  # what only plans a jury does without AutoGen
    from ..agents import AgentFactory


@dataclass(frozen=True, slots=True)
class SeatSpec:
    """One seat of a jury, before its agent is made.

    Attributes:
        info: What others are told of it.
        persona: What it looks for, None for a person, a guard, and an agent that has none.
        model: The model behind it, None for a person and for an agent that brings its own.
        sampling: How words are drawn.
        images: What its model takes of pictures.
        said: What was said of it in so many words, by the keys of a juror in a config.
        agent: What makes the agents that sit there; None for a juror and a person.
        sees: Whether these take pictures; None takes it from their model clients.
        timeout: Seconds for one answer of such an agent; None is ten minutes.
        controversial: What a guard's finding between safe and unsafe counts as. Which guard it
            is stands in `info`.
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
    controversial: Controversial = "abstain"

    @property
    def is_person(self) -> bool:
        """Whether the person at the terminal sits there."""
        return self.persona is None and self.agent is None and not self.info.guard

    @property
    def guard(self) -> GuardDialect | None:
        """How the guard is asked that sits there; None for any other juror."""
        return load_guard(self.info.guard) if self.info.guard else None

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


def seat(
    persona: str | Path | Persona | None = None,
    model: ModelSpec | str | None = None,
    *,
    agent: Callable[..., object] | str | None = None,
    guard: str | None = None,
    name: str | None = None,
    title: str | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    images: ImageLimits | None = None,
    sees: bool | None = None,
    timeout: float | None = None,
    controversial: Controversial = "abstain",
) -> SeatSpec:
    """Describe one seat of a jury: a persona with a model, an agent of yours, or a guard.

    Args:
        persona: What the juror looks for: a bundled persona's name, the path of a YAML file,
            a `Persona`, or `human` for the person at the terminal. An agent may have one.
        model: The model behind it, or a provider's as `provider/model`; the persona's own, or
            else the jury's, unless given. For an agent, what the client calls that its
            function takes.
        agent: A function that makes an AgentChat agent or team, anew at each call, or where
            it is: `my_module:make_juror`. It takes nothing, or a model client.
        guard: The kind of guard that `model` is, such as `llama-guard-3`, in place of a persona.
        name: The seat's name; the persona's or the agent's unless given.
        title: What readers call an agent; its persona's title, or its name, unless given.
        temperature: How its words are drawn; as the persona says, or greedy, unless given.
        top_p: The same.
        images: What its model takes of pictures.
        sees: Whether an agent with a client of its own takes pictures; taken from that client
            unless given.
        timeout: Seconds for one answer of an agent, without the time in calls of `model`;
            600 unless given.
        controversial: What a guard's finding between safe and unsafe counts as.

    Raises:
        ConfigurationError: There is no such persona, the model is nowhere, or the agent
            cannot serve.
    """
    said: dict[str, object] = {"name": name, "temperature": temperature, "top_p": top_p}
    said = {key: value for key, value in said.items() if value is not None}
    limits = images or ImageLimits()
    if guard is not None:
        if persona is not None or agent is not None:
            raise ConfigurationError("a guard takes a seat of its own: leave out persona and agent")
        drawn = Sampling(temperature, top_p).or_greedy()
        return _guard_seat(guard, model, said, drawn, limits, controversial)
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
        if timeout is not None and not timeout > 0:
            raise ConfigurationError(f"timeout of an agent must be above 0 seconds, not {timeout}")
        about = {"title": title, "images": sees, "timeout": timeout}
        said |= {key: value for key, value in about.items() if value is not None}
        drawn = SeatSpec(SeatInfo("", "", "", ""), known, spec, sampling, limits, said)
        return _with_agent(drawn, agent, name, title, sees, timeout)
    if title is not None or sees is not None or timeout is not None:
        raise ConfigurationError("title, sees and timeout are for a seat with an agent")
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
    if drawn.model is not None and not factory.may_take_client:
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


def _guard_seat(
    guard: str,
    model: ModelSpec | str | None,
    said: Mapping[str, object],
    sampling: Sampling,
    images: ImageLimits,
    controversial: Controversial,
) -> SeatSpec:
    """Return a seat for a guard, whose model is its own."""
    dialect = load_guard(guard)
    if model is None:
        raise ConfigurationError(
            f"the guard {quoted(guard)} has no model: give it its own, not that of other jurors"
        )
    spec = replace(ModelSpec(model) if isinstance(model, str) else model, api=dialect.api)
    spec.check_place()
    if "audio" in spec.modalities:
        raise ConfigurationError(f"the guard {quoted(guard)} takes no sound: leave `audio` out")
    said = {**said, "guard": guard}
    if controversial != "abstain":
        if not dialect.has_controversial:
            raise ConfigurationError(
                f"the guard {quoted(guard)} finds nothing controversial: leave that setting out"
            )
        said["controversial"] = controversial
    name = str(said.get("name") or re.sub(r"\W", "_", guard))
    info = SeatInfo(name, guard, dialect.title, spec.model, guard)
    return SeatSpec(info, None, spec, sampling, images, said, controversial=controversial)
