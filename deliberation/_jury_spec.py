"""A jury as plain data, and the agents that are made of it."""

from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from ..agents import Ballot, BallotOutcome, Classification, Finding, Rubric
from ..common import ConfigurationError
from ..common.text import quoted
from ..datasets import ImageFitter, MediaStore
from ..models import ModelHost, ModelSpec, Sampling
from ._seat_spec import SeatSpec
from .protocol import Protocol, SeatInfo, decide
from .protocol.asking import asking_of
from .protocol.card import CardJury, CardSeat, check_same_jury

if TYPE_CHECKING:  # what only plans a jury does without AutoGen
    from ..agents import AgentFactory, AgentModel, Ask, CaseCount, Guard, HumanJuror, Juror


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
        card_of_another_jury: Whether a jury card will do that is of other jurors of these names.
    """

    seats: tuple[SeatSpec, ...]
    protocol: Protocol = Protocol()
    foreperson: ModelSpec | None = None
    summing: Sampling = Sampling(temperature=0.0)
    max_tokens: int = 512
    seed: int = 0
    rubric: Rubric | None = None
    quotes: bool = True
    card_of_another_jury: bool = False

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
        begin: bool = False,
    ) -> "dict[str, Juror | HumanJuror | Guard]":
        """Make the agents, by seat name.

        Args:
            registry: Opens their models.
            ask: Asks the person on the jury, None for the plain terminal.
            cases: How many cases the person is shown that there are; None shows no count.
            media: Keeps pictures that were made to fit their models; None sends all as
                they are.
            begin: Whether one agent of the user's own is made at once for each seat.

        Raises:
            ConfigurationError: It cannot be made.
        """
        from ..agents import Guard, HumanJuror, Juror

        made: dict[str, Juror | HumanJuror | Guard] = {}
        for seat in self.seats:
            name = seat.info.seat
            fitting = None if media is None else ImageFitter(seat.images, media)
            if seat.info.guard and seat.model is not None:
                made[name] = Guard(
                    name,
                    seat.info.guard,
                    registry.open(seat.model),
                    sampling=seat.sampling,
                    seed=self.seed,
                    controversial=seat.controversial,
                    fitting=fitting,
                )
                continue
            if seat.agent is not None:
                agents = self._agents_of(seat, registry, begin=begin)
                model = registry.adopt(agents, pays=seat.model is None)
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
                fitting=fitting,
                speaks_in_words=seat.agent is not None,
            )
        return made

    def _agents_of(self, seat: SeatSpec, registry: ModelHost, *, begin: bool) -> "AgentModel":
        """Return the agents of a seat as a model that its juror asks."""
        from ..agents import AgentClient, AgentModel

        assert seat.agent is not None
        client = None
        if seat.model is not None:
            client = AgentClient(
                registry.open(seat.model), seat.sampling, self.seed, self.max_tokens
            )
        return AgentModel.of(
            seat.agent, client=client, sees=seat.sees, timeout=seat.timeout, begin=begin
        )

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
        self.protocol.check(seats, guards=sum(bool(seat.info.guard) for seat in self.seats))
        if rule.card is not None:
            known = tuple(CardSeat(one.seat, one.model, one.persona) for one in self.infos)
            self.check_card(CardJury(sha256="", source="run", seats=known))
        asking_of(self.protocol, [info.seat for info in self.infos])
        self.protocol.check_decider(has_model=self.foreperson is not None)
        said = (Finding.UNSAFE, Finding.SAFE, None)
        for first, others in product(said, said):
            tried = [_tried(seat, others if at else first) for at, seat in enumerate(self.seats)]
            try:
                decide(tried, rule, seats=seats)
            except ConfigurationError as error:
                guards = any(seat.info.guard for seat in self.seats)
                hint = "; the rating of a guard's ballot is None" if guards else ""
                raise ConfigurationError(f"{error}{hint}") from error
        if self.protocol.summary == "always" and self.foreperson is None:
            raise ConfigurationError(
                f"the protocol {self.protocol.name!r} always sums up, but nobody is there to do "
                "it: name a model as jury.foreperson, or set jury.protocol.summary to never"
            )

    def check_card(self, jury: CardJury) -> None:
        """Check that its jury card, if it has one, is of this jury.

        Args:
            jury: What is known of it, as `jury_identity` returns it.

        Raises:
            ConfigurationError: It is of another; the message names what differs.
        """
        if self.protocol.rule.card is not None:
            check_same_jury(self.protocol.rule.card, jury, force=self.card_of_another_jury)

    def only(self, *seats: SeatSpec) -> "JurySpec":
        """Return the same jury with these of its seats alone."""
        return replace(self, seats=seats)


def _tried(seat: SeatSpec, finding: Finding | None) -> Ballot:
    """Return a ballot to try a rule on, such as a seat may give."""
    name = seat.info.seat
    if finding is None:
        return Ballot(name, 0, BallotOutcome.TRANSPORT_ERROR)
    rating = 1 if finding is Finding.UNSAFE else 5
    ballot = Ballot(name, 0, BallotOutcome.VERDICT, finding, rating, reason="tried")
    guard = seat.info.guard
    return replace(ballot, rating=None, reason="", guard=Classification(guard)) if guard else ballot
