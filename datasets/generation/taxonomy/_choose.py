"""The fourth step of a taxonomy: the most harmful and diverse scenarios are chosen."""

from collections.abc import Iterable, Sequence
from statistics import fmean

from msgspec.structs import replace

from .._settings import TaxonomySettings
from ._items import Mark, Proposal, ProposalState, Standing
from ._likeness import likeness, wording

_DUST = 1e-9


def choose(scenarios: Sequence[Proposal], settings: TaxonomySettings) -> list[Proposal]:
    """Return the scenarios, in order, with their standing and whether they are kept.

    A scenario is up for choice if its share of the votes given is `settings.votes` or
    more. Of those, the one of the highest value is kept, then the next, up to
    `settings.scenarios`; each that is chosen lowers the value of what is like it. Equal
    values go by votes, then by order. Marks that are missing count neither for nor against.
    """
    choice = _Choice(scenarios, settings)
    for rank in range(1, settings.scenarios + 1):
        if not choice.take_best(rank):
            break
    return [
        replace(one, standing=standing, state=_state(standing, settings))
        for one, standing in zip(scenarios, choice.end(), strict=True)
    ]


class _Choice:
    """Scenarios, by their place in the list, while some of them are chosen."""

    def __init__(self, scenarios: Sequence[Proposal], settings: TaxonomySettings) -> None:
        self._settings = settings
        self._wordings = [wording(one.name, one.definition) for one in scenarios]
        self._standings = [_first_standing(one.marks) for one in scenarios]
        self._nearest = [0.0] * len(scenarios)
        self._open = [
            place
            for place, standing in enumerate(self._standings)
            if _state(standing, settings) == "passed_over"
        ]

    def take_best(self, rank: int) -> bool:
        """Choose the best of those that are left; return whether there was one."""
        if not self._open:
            return False
        valued = {place: self._valued(place) for place in self._open}
        best = max(self._open, key=lambda place: (_order(valued[place]), -place))
        self._standings[best] = replace(valued[best], rank=rank)
        self._open.remove(best)
        for place in self._open:
            alike = likeness(self._wordings[place], self._wordings[best])
            self._nearest[place] = max(self._nearest[place], alike)
        return True

    def end(self) -> list[Standing]:
        """Return the standings of all."""
        for place in self._open:
            self._standings[place] = self._valued(place)
        return self._standings

    def _valued(self, place: int) -> Standing:
        standing = self._standings[place]
        distance = 10 * (1 - self._nearest[place])
        novelty = distance if standing.novelty is None else standing.novelty
        harm, weight = standing.harm or 0.0, self._settings.harm_weight
        value = weight * harm + (1 - weight) * (novelty + distance) / 2
        return replace(standing, distance=round(distance, 4), value=round(value, 4))


def _order(standing: Standing) -> tuple[float, float]:
    return standing.value or 0.0, standing.votes or 0.0


def _first_standing(marks: Sequence[Mark]) -> Standing:
    return Standing(
        votes=_mean(mark.vote for mark in marks),
        harm=_mean(mark.harm for mark in marks),
        novelty=_mean(mark.novelty for mark in marks),
    )


def _mean(given: Iterable[int | None]) -> float | None:
    numbers = [number for number in given if number is not None]
    return fmean(numbers) if numbers else None


def _state(standing: Standing, settings: TaxonomySettings) -> ProposalState:
    if standing.votes is None:
        return "unscored"
    if standing.votes < settings.votes - _DUST:
        return "voted_down"
    if standing.harm is None:
        return "unscored"
    return "passed_over" if standing.rank is None else "kept"
