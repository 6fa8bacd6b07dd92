"""Step 2 of a taxonomy: merges scenarios that mean the same."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import combinations

from msgspec.structs import replace

from ...agents import ReplyFailure
from ...common import in_parallel
from ..items import OURS
from ..prompts import render
from ._items import Merge, Proposal
from ._model_calls import TaxonomyCalls
from ._shapes import SameMeaning
from ._similarity import ComparedWords, compared_words, likeness, same_name

CLUSTER = 8
"""Scenarios that the foreperson compares in one call at most."""
ROUNDS = 4
"""How often what was not compared yet is compared."""


def numbered(proposals: Sequence[Proposal]) -> str:
    """Return scenarios as a numbered list."""
    return "\n".join(
        f"{number}. {one.name}: {one.definition}" if one.definition else f"{number}. {one.name}"
        for number, one in enumerate(proposals, 1)
    )


def stands_for(proposals: Sequence[Proposal]) -> dict[str, str]:
    """Return the id of the scenario that each proposal was finally merged into, by its id."""
    into = {one.id: one.merged.into for one in proposals if one.merged is not None}
    found: dict[str, str] = {}
    for one in proposals:
        place = one.id
        while place in into:
            place = into[place]
        found[one.id] = place
    return found


async def merge(
    calls: TaxonomyCalls, proposals: Sequence[Proposal], similarity: float
) -> list[Proposal]:
    """Return the proposals, in order, with what each was merged into.

    Equal names are one scenario. Of the rest, those whose likeness is `similarity` or more
    are put before the foreperson in clusters, in up to `ROUNDS` rounds; what it does not
    call the same, or leaves missing_replies, stays apart. The earliest of a group stands for it.

    Args:
        calls: Whose foreperson is asked, and where it is counted.
        proposals: In order.
        similarity: Least likeness, in (0, 1], of what may mean the same.
    """
    merging = _Merging(calls, proposals)
    merging.merge_equal_names()
    await asyncio.to_thread(merging.find_pairs, similarity)
    for turn in range(1, ROUNDS + 1):
        clusters = merging.next_clusters()
        if not clusters:
            break
        answers = await in_parallel(merging.ask(turn, cluster) for cluster in clusters)
        for cluster, (groups, call_id) in zip(clusters, answers, strict=True):
            for group in groups:
                merging.join([cluster[number - 1] for number in group], call_id)
    return merging.end()


class _Merging:
    """The state of merging; proposals are known by their index."""

    def __init__(self, calls: TaxonomyCalls, proposals: Sequence[Proposal]) -> None:
        self._calls = calls
        self._proposals = proposals
        self._wordings: list[ComparedWords] = [
            compared_words(p.name, p.definition) for p in proposals
        ]
        self._place_of = {proposal.id: place for place, proposal in enumerate(proposals)}
        self._merged: dict[int, Merge] = {}
        self._pairs: list[tuple[int, int]] = []
        self._compared: set[tuple[int, int]] = set()

    def merge_equal_names(self) -> None:
        """Merge scenarios of the same name into the first of them."""
        first: dict[str, int] = {}
        for place, proposal in enumerate(self._proposals):
            earliest = first.setdefault(same_name(proposal.name), place)
            if earliest != place:
                self._merge(place, earliest, OURS, "")

    def find_pairs(self, similarity: float) -> None:
        """Find the pairs that may mean the same, the most similar first."""
        found = (
            (self._likeness(one, other), one, other)
            for one, other in combinations(range(len(self._proposals)), 2)
        )
        likely = [pair for pair in found if pair[0] >= similarity]
        likely.sort(key=lambda pair: (-pair[0], pair[1:]))
        self._pairs = [(one, other) for _, one, other in likely]

    def next_clusters(self) -> list[list[int]]:
        """Return the next clusters to compare, linked by pairs not compared yet."""
        cluster_of: dict[int, list[int]] = {}
        for one, other in self._open_pairs():
            first = cluster_of.setdefault(one, [one])
            second = cluster_of.setdefault(other, [other])
            if first is second or len(first) + len(second) > CLUSTER:
                continue
            first += second
            cluster_of.update(dict.fromkeys(second, first))
        clusters = {id(each): sorted(each) for each in cluster_of.values() if len(each) > 1}
        for cluster in clusters.values():
            self._compared.update(combinations(cluster, 2))
        return sorted(clusters.values())

    async def ask(self, turn: int, cluster: Sequence[int]) -> tuple[list[list[int]], str]:
        """Return the groups of a cluster that mean the same, by number from 1, and the call."""
        members = [self._proposals[place] for place in cluster]
        call_id = f"taxonomy/merge/{turn}/{members[0].id}"
        answer = await self._calls.ask(
            self._calls.context.models.foreperson,
            render("taxonomy_merge", items=numbered(members)),
            SameMeaning,
            call_id,
            parents=[member.id for member in members],
        )
        if isinstance(answer, ReplyFailure):
            return [], call_id
        return _groups(answer.value.same, len(cluster)), call_id

    def join(self, places: Sequence[int], call_id: str) -> None:
        """Merge scenarios into the earliest of them, as the foreperson decided."""
        earliest, *others = sorted(places)
        for place in others:
            self._merge(place, earliest, self._calls.context.models.foreperson.name, call_id)

    def end(self) -> list[Proposal]:
        """Return all proposals, and count."""
        self._calls.counts["merged"] = len(self._merged)
        self._calls.counts["undecided_pairs"] = sum(1 for _ in self._open_pairs())
        return [
            replace(one, state="merged", merged=self._merged[place])
            if place in self._merged
            else one
            for place, one in enumerate(self._proposals)
        ]

    def _merge(self, place: int, into: int, who: str, call_id: str) -> None:
        alike = round(self._likeness(place, into), 4)
        self._merged[place] = Merge(self._proposals[into].id, who, alike, call_id)

    def _likeness(self, one: int, other: int) -> float:
        return likeness(self._wordings[one], self._wordings[other])

    def _stands_for(self, place: int) -> int:
        """Return the index of a proposal, or of the one that it was merged into."""
        while place in self._merged:
            place = self._place_of[self._merged[place].into]
        return place

    def _open_pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the pairs of merged scenarios that were not compared yet."""
        yielded = set[tuple[int, int]]()
        for one, other in self._pairs:
            first, second = sorted((self._stands_for(one), self._stands_for(other)))
            pair = first, second
            if first != second and pair not in self._compared and pair not in yielded:
                yielded.add(pair)
                yield pair


def _groups(said: Sequence[Sequence[int]], size: int) -> list[list[int]]:
    """Return the groups of two or more known numbers, each number in the first that has it."""
    free, groups = set(range(1, size + 1)), list[list[int]]()
    for group in said:
        taken = [number for number in dict.fromkeys(group) if number in free]
        free.difference_update(taken)
        if len(taken) > 1:
            groups.append(taken)
    return groups
