"""Open a jury on its bus: an AutoGen runtime with a foreperson, seats and listeners."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from ..agents import AnyAgent, Ask, Case, CaseCount, Guard, Persona, Rubric, SeatAgent, juror_of
from ..common import ConfigurationError
from ..common.text import unique_name
from ..datasets import MediaStore
from ..models import ChatModel, ModelHost, ModelRegistry, ModelSpec, Sampling
from ._jury_component import jury_as_data, jury_from_data
from ._jury_of import describe_jury
from ._jury_spec import JurySpec
from ._seat_spec import SeatSpec
from .bus import AgentRuntime, Hearing, JuryBus, JuryComponent, JuryTeam
from .protocol import (
    Entry,
    Foreperson,
    Notice,
    Protocol,
    Rule,
    RuleFunction,
    SeatInfo,
    TalkAudit,
    Verdict,
)
from .protocol.asking import asking_of
from .protocol.card import CardJury, CardSeat, JuryCard, check_same_jury

if TYPE_CHECKING:
    from ._judgment import Judgment


class Jury(JuryTeam):
    """Hears any number of cases at once, each to its verdict.

    Use it as an asynchronous context manager. Leaving it waits for nothing: cases
    under way are canceled and their agents have ended when it returns.

    It is a `Team` of AutoGen's AgentChat as well: `run` and `run_stream` hear one case each.

    Example:
        >>> async with Jury.of("clinician", "lawyer", "sceptic", model=model) as jury:
        ...     verdict = await jury.judge(case)

    Args:
        seats: The jurors by seat name: any AgentChat agents and teams. Or a `JurySpec`, which
            says all that follows up to the rubric: its models are opened when the jury is entered,
            and closed when it is left.
        protocol: How they deliberate.
        foreperson: Model for the summing-up, None leaves it out; and for the decision, where
            the rule is `foreperson`.
        summing: How its words are drawn; greedy where that says nothing.
        seed: Decides the order in which jurors are asked, where not all are, and read
            each other; the summing-up's as well.
        clerk: Is given each transcript entry, in order; must be quick. What it
            raises ends the hearings. A case's last entry comes before its verdict
            is returned.
        spectator: Is given entries and fleeting notices, for a live view.
        rubric: What jurors judge by, None for the bundled rubric.
        name: Its name in a team of AutoGen's.
        description: What it is for, for those who choose who speaks in a team; None says who
            sits on it.
        quotes: Whether jurors are asked for the words of the case that they rely on.
        runtime: A runtime of AutoGen's to use, which is started on entering where it is not,
            and never stopped. What happens is published there to `topic`. None for one of its
            own.

    Attributes:
        spec: The jury as plain data, None for one that was made of agents.

    Raises:
        ConfigurationError: The protocol does not fit the number of seats, or the name is none
            for an agent.
    """

    def __init__(
        self,
        seats: Mapping[str, AnyAgent] | JurySpec,
        protocol: Protocol | None = None,
        *,
        foreperson: ChatModel | None = None,
        summing: Sampling | None = None,
        seed: int = 0,
        clerk: Callable[[Entry], None] | None = None,
        spectator: Callable[[Entry | Notice], None] | None = None,
        rubric: Rubric | None = None,
        name: str = "jury",
        description: str | None = None,
        quotes: bool = True,
        runtime: AgentRuntime | None = None,
    ) -> None:
        self.spec = seats if isinstance(seats, JurySpec) else None
        self._seats: Mapping[str, SeatAgent] = {}
        if isinstance(seats, JurySpec):
            protocol, summing = seats.protocol, seats.summing
            seed, rubric, quotes = seats.seed, seats.rubric, seats.quotes
            self._infos = seats.infos
        else:
            self._seats = {name: juror_of(agent, name) for name, agent in seats.items()}
            self._infos = tuple(_info(name, agent) for name, agent in self._seats.items())
        seated = ", ".join(info.seat for info in self._infos)
        description = description or f"A jury that judges whether a response is safe: {seated}"
        super().__init__(name, description, runtime)
        self._protocol = protocol or Protocol()
        guards = sum(bool(info.guard) for info in self._infos)
        self._protocol.check(len(self._infos), guards=guards)
        if self.spec is None:
            self._protocol.check_decider(has_model=foreperson is not None)
            if self._protocol.rule.card is not None:  # of agents the names are known
                named = tuple(CardSeat(info.seat) for info in self._infos)
                seated = CardJury(sha256="", source="run", seats=named)
                check_same_jury(self._protocol.rule.card, seated)
            asking_of(self._protocol, self.seats)
        self._foreperson = foreperson
        self._summing = summing
        self._seed = seed
        self._clerk = clerk
        self._spectator = spectator
        self._rubric = rubric
        self._quotes = quotes
        self._bus: JuryBus | None = None
        self._broken: Exception | None = None
        self._listeners: dict[str, Callable[[Entry], None]] = {}
        self._own = AsyncExitStack()

    @classmethod
    def of(
        cls,
        *jurors: str | Path | Persona | SeatSpec | Callable[..., object],
        model: ModelSpec | str | None = None,
        protocol: str | Protocol = "contested",
        rule: str | Rule | RuleFunction | None = None,
        foreperson: ModelSpec | str | None = None,
        rubric: str | Path | None = None,
        max_tokens: int = 512,
        name: str = "jury",
        description: str | None = None,
        quotes: bool = True,
        runtime: AgentRuntime | None = None,
        card: JuryCard | str | Path | None = None,
        card_of_another_jury: bool = False,
    ) -> Self:
        """Describe a jury of models; nothing is opened yet.

        Args:
            jurors: The jurors: bundled personas by name, paths of YAML files, `Persona`s,
                seats with a model of their own from `seat`, or functions that make an
                AgentChat agent or team.
            model: The model of all jurors that have none; `provider/model`, or a `ModelSpec`.
            protocol: How they deliberate: `vote`, `contested`, `safebench`, or settings.
            rule: How votes become a finding, in place of the protocol's rule: a name in
                `RULES`, a rule with its settings, or a function from `Votes` and `Rule` to a
                `Decision`.
            foreperson: The model that sums up; None leaves the summing-up out.
            rubric: A Markdown file that says what is judged by, in place of the bundled one.
            max_tokens: Cap on the tokens of a ballot, at least 16.
            name: See `Jury`.
            description: See `Jury`.
            quotes: Whether jurors are asked for the words of the case that they rely on.
            runtime: See `Jury`.
            card: A jury card or its file, for the rules `calibrated` and `best_juror`.
            card_of_another_jury: Whether a card will do that was made of other jurors of the
                same names.

        Raises:
            ConfigurationError: Something does not fit; the message says what to change.
        """
        spec = describe_jury(
            jurors,
            model=model,
            protocol=protocol,
            rule=rule,
            foreperson=foreperson,
            rubric=rubric,
            max_tokens=max_tokens,
            quotes=quotes,
            card=card,
            card_of_another_jury=card_of_another_jury,
        )
        return cls(spec, name=name, description=description, runtime=runtime)

    @classmethod
    def seated(
        cls,
        spec: JurySpec,
        registry: ModelHost,
        *,
        ask: Ask | None = None,
        cases: CaseCount | None = None,
        media: MediaStore | None = None,
        clerk: Callable[[Entry], None] | None = None,
        spectator: Callable[[Entry | Notice], None] | None = None,
    ) -> Self:
        """Make a jury on the models of a registry, which closes them.

        Args:
            spec: Who sits on it, and how they deliberate.
            registry: Opens the models.
            ask: See `JurySpec.agents`.
            cases: See `JurySpec.agents`.
            media: See `JurySpec.agents`.
            clerk: See `Jury`.
            spectator: See `Jury`.
        """
        jury = cls(spec, clerk=clerk, spectator=spectator)
        jury._seat(registry, ask=ask, cases=cases, media=media)
        return jury

    @property
    def seats(self) -> Sequence[str]:
        """Names of the seats."""
        return tuple(info.seat for info in self._infos)

    @property
    def is_open(self) -> bool:
        """Whether it was entered, and not left."""
        return self._bus is not None

    def __repr__(self) -> str:
        return f"<Jury: {', '.join(self.seats)}; {self._protocol.name}>"

    async def _open(self) -> None:
        try:
            await self._enter()
        except BaseException:
            await self._own.aclose()
            raise

    async def _enter(self) -> None:
        if self.spec is not None and not self._seats:
            registry = await self._own.enter_async_context(ModelRegistry())
            folder = self._own.enter_context(TemporaryDirectory(prefix="safejury-"))
            self._own.callback(self._unseat)
            self._seat(registry, media=MediaStore(Path(folder)))
        spectator = None if self._spectator is None else self._watched(self._spectator)
        bus = JuryBus(
            self._presiding(),
            self._seats,
            self._gate,
            live=spectator is not None,
            guest=self._guest,
        )
        await bus.open(self._watched(self._write), spectator)
        self._bus = bus

    async def _close(self) -> None:
        assert self._bus is not None
        bus, self._bus = self._bus, None
        try:
            await bus.aclose()
        finally:
            await self._own.aclose()

    async def hear(self, case: Case) -> Verdict:
        """Hear one case from opening to verdict.

        Canceling the call cancels the model calls of the case.

        Raises:
            FirstContactError: A juror's model never answered once.
            ConfigurationError: It was opened in another event loop.
            RuntimeError: The jury is not open.
            Exception: What the clerk or the spectator raised.
        """
        return await self._hear(case)

    async def audit(self, audit: TalkAudit) -> bool:
        """Let jurors vote again on a case without its talk; return whether the budget covered it.

        What comes of it is published as entries that follow the case's verdict; see `hear`.
        """
        whole = await self._opened().audit(audit)
        if self._broken is not None:
            raise self._broken
        return whole

    async def judge(self, case: Case) -> "Judgment":
        """Hear one case, and return the verdict with its transcript; see `hear`."""
        from ._judgment import Judgment  # shows transcripts: not for a run

        entries = list[Entry]()
        verdict = await self._hear_aside(case, entries.append)
        protocol = self.spec.protocol_label if self.spec else self._protocol.name
        return Judgment.of(verdict, case, entries, self._infos, protocol)

    def _to_config(self) -> JuryComponent:
        if self.spec is None:
            raise ConfigurationError(
                "a jury that was made of agents cannot be dumped, for they may hold anything: "
                "describe it with Jury.of"
            )
        jury = jury_as_data(self.spec)
        return JuryComponent(name=self.name, description=self.description, jury=jury)

    @classmethod
    def _from_config(cls, config: JuryComponent) -> Self:
        return cls(jury_from_data(config.jury), name=config.name, description=config.description)

    @property
    def _identity(self) -> str:
        rubric = None if self._rubric is None else self._rubric.sha256
        said = (self._infos, self._protocol, rubric, self._seed, self._quotes)
        said += self._protocol.rule.card_settings
        return hashlib.sha256(repr(said).encode()).hexdigest()

    async def _hear_openly(self, hearing: Hearing, listen: Callable[[Entry], None]) -> Verdict:
        return await self._hear_aside(hearing.case, listen, hearing)

    async def _hear_aside(
        self,
        case: Case,
        listen: Callable[[Entry], None],
        kept: Hearing | None = None,
    ) -> Verdict:
        """Hear a case, under a name of its own, whose entries are given to a function as well."""
        case = replace(case, id=unique_name(case.id, self._listeners))
        self._listeners[case.id] = listen
        try:
            return await self._hear(case, kept)
        finally:
            del self._listeners[case.id]

    async def _hear(self, case: Case, kept: Hearing | None = None) -> Verdict:
        verdict = await self._opened().hear(case, kept)
        if self._broken is not None:
            raise self._broken
        return verdict

    def _opened(self) -> JuryBus:
        if self._bus is None:
            raise RuntimeError("the jury is not open: enter it with `async with` first")
        self._bus.check_loop()
        return self._bus

    def _seat(
        self,
        registry: ModelHost,
        *,
        ask: Ask | None = None,
        cases: CaseCount | None = None,
        media: MediaStore | None = None,
    ) -> None:
        assert self.spec is not None
        self._seats = self.spec.agents(registry, ask=ask, cases=cases, media=media, begin=True)
        if self.spec.foreperson is not None:
            self._foreperson = registry.open(self.spec.foreperson)

    def _unseat(self) -> None:
        self._seats, self._foreperson = {}, None

    def _write(self, entry: Entry) -> None:
        if self._clerk is not None:
            self._clerk(entry)
        if (listen := self._listeners.get(entry.case_id)) is not None:
            listen(entry)

    def _presiding(self) -> Foreperson:
        return Foreperson(
            self.seats,
            self._protocol,
            model=self._foreperson,
            summing=self._summing,
            seed=self._seed,
            rubric=self._rubric,
            standing=[info.seat for info in self._infos if info.guard],
            quotes=self._quotes,
            max_tokens=self.spec.max_tokens if self.spec else 512,
        )

    def _watched(self, listen: Callable[[Any], None]) -> Callable[[Any], None]:
        """Return a listener whose failure `hear` raises: the runtime would drop it."""

        def listens(said: Any) -> None:
            try:
                listen(said)
            except Exception as error:  # noqa: BLE001 - raised again by `hear`
                self._broken = self._broken or error

        return listens


def _info(name: str, agent: SeatAgent) -> SeatInfo:
    """Return what others are told of an agent's seat."""
    if isinstance(agent, Guard):
        return SeatInfo(name, agent.guard, agent.dialect.title, agent.model.name, agent.guard)
    return SeatInfo(name, name, name, "")
