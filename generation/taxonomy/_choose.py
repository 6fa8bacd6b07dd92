"""Step 4 of a taxonomy: chooses the most harmful and diverse scenarios."""

from collections.abc import Iterable, Sequence
from statistics import fmean

import numpy as np
from msgspec.structs import replace

from ...datasets.similarity import Floats, choose_unlike
from ..items import TaxonomySettings
from ._items import Mark, Proposal, ProposalState, Standing
from ._similarity import compared_words, likeness

_DUST = 1e-9


def choose(scenarios: Sequence[Proposal], settings: TaxonomySettings) -> list[Proposal]:
    """Return the scenarios, in order, with their standing and whether they are kept.

    A scenario is up for choice if its share of the votes given is `settings.votes` or
    more. Of those, the one of the highest value is kept, then the next, up to
    `settings.scenarios`; each that is chosen lowers the value of what is like it. Equal
    values go by votes, then by order. Marks that are missing count neither for nor against.
    """
    wordings = [compared_words(one.name, one.definition) for one in scenarios]
    standings = [_first_standing(one.marks) for one in scenarios]
    up = [n for n, one in enumerate(standings) if _state(one, settings) == "passed_over"]
    up.sort(key=lambda n: -(standings[n].votes or 0.0))
    harm = np.array([standings[n].harm for n in up], np.float64)
    novelty = np.array([standings[n].novelty for n in up], np.float64)
    weight = settings.harm_weight

    def value(nearest: Floats) -> Floats:
        distance = 10 * (1 - nearest)
        new = np.where(np.isnan(novelty), distance, novelty)
        return np.round(weight * harm + (1 - weight) * (new + distance) / 2, 4)

    def alike(place: int) -> Floats:
        return np.array([likeness(wordings[n], wordings[up[place]]) for n in up])

    chosen, nearest = choose_unlike(len(up), settings.scenarios, value, alike)
    ranks = {place: rank for rank, place in enumerate(chosen, 1)}
    values, distances = value(nearest).tolist(), (10 * (1 - nearest)).tolist()
    for place, n in enumerate(up):
        standings[n] = replace(
            standings[n],
            distance=round(distances[place], 4),
            value=values[place],
            rank=ranks.get(place),
        )
    return [
        replace(one, standing=standing, state=_state(standing, settings))
        for one, standing in zip(scenarios, standings, strict=True)
    ]


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
