"""A jury as plain data, and how it is opened: its agents made and put on the bus."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from ..agents import Persona, Rubric
from ..datasets import ImageFitting, ImageLimits, MediaStore
from ..models import ModelSource, ModelSpec, Sampling
from .protocol import Entry, Notice, Protocol, SeatInfo

if TYPE_CHECKING:  # what only plans a jury does without AutoGen
    from ..agents import Ask, CaseCount, HumanJuror, Juror
    from ._jury import Jury


@dataclass(frozen=True, slots=True)
class SeatSpec:
    """One seat of a jury, before its agent is made.

    Attributes:
        info: What others are told of it.
        persona: What it looks for, None for a person.
        model: The model behind it, None for a person.
        sampling: How words are drawn.
        images: What its model takes of pictures.
    """

    info: SeatInfo
    persona: Persona | None
    model: ModelSpec | None
    sampling: Sampling = Sampling(temperature=0.0)
    images: ImageLimits = ImageLimits()


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
    """

    seats: tuple[SeatSpec, ...]
    protocol: Protocol = Protocol()
    foreperson: ModelSpec | None = None
    summing: Sampling = Sampling(temperature=0.0)
    max_tokens: int = 512
    seed: int = 0
    rubric: Rubric | None = None

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
    def has_person(self) -> bool:
        """Whether the person at the terminal is on the jury."""
        return any(seat.persona is None for seat in self.seats)

    def drawing(self) -> dict[str, object]:
        """Return how the jury's models draw their words, as plain data."""
        jurors = [asdict(seat.sampling) for seat in self.seats if seat.model is not None]
        return {"jurors": jurors, "foreperson": asdict(self.summing)}

    def agents(
        self,
        registry: ModelSource,
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
            if seat.persona is None or seat.model is None:
                made[name] = HumanJuror(name, ask=ask, cases=cases)
                continue
            made[name] = Juror(
                name,
                seat.persona,
                registry.open(seat.model),
                sampling=seat.sampling,
                seed=self.seed,
                max_tokens=self.max_tokens,
                fitting=None if media is None else ImageFitting(seat.images, media),
            )
        return made

    def open(
        self,
        registry: ModelSource,
        *,
        ask: "Ask | None" = None,
        cases: "CaseCount | None" = None,
        media: MediaStore | None = None,
        clerk: Callable[[Entry], None] | None = None,
        spectator: Callable[[Entry | Notice], None] | None = None,
    ) -> "Jury":
        """Make the jury: enter what is returned, and it hears cases.

        Args:
            registry: Opens the models.
            ask: See `agents`.
            cases: See `agents`.
            media: See `agents`.
            clerk: See `Jury`.
            spectator: See `Jury`.
        """
        from ._jury import Jury

        return Jury(
            self.agents(registry, ask=ask, cases=cases, media=media),
            self.protocol,
            foreperson=None if self.foreperson is None else registry.open(self.foreperson),
            summing=self.summing,
            seed=self.seed,
            clerk=clerk,
            spectator=spectator,
            rubric=self.rubric,
        )

    def only(self, *seats: SeatSpec) -> "JurySpec":
        """Return the same jury with these of its seats alone."""
        return replace(self, seats=seats)
