"""Draws the cases of a run that people label: at random by verdict, then contested ones."""

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from ....datasets import Intent
from ...trials import CaseResult
from .._strata import stratum_of
from ..rates import has_something_to_judge
from ._shares import shares

K = TypeVar("K", str, tuple[str, "Cell"])

_TAIL = 0.8
"""Part of the random cases that comes before the first one picked otherwise."""
_DOUBTFUL = (0.2, 0.8)
"""Between these, a probability of unsafe is near the line."""


class Cell(NamedTuple):
    """Cases of one target, one intent and one verdict: what is drawn from as one."""

    target: str
    intent: str
    stratum: str


@dataclass(frozen=True, slots=True)
class CellCount:
    """How many cases of a cell are drawn at random.

    Attributes:
        target: The target's name.
        intent: Harmful or benign.
        stratum: The verdict: `unsafe`, `safe` or `no_verdict`.
        size: Cases in the run.
        sampled: Those of them that are drawn at random.
    """

    target: str
    intent: str
    stratum: str
    size: int
    sampled: int

    @property
    def cell(self) -> Cell:
        """The cell."""
        return Cell(self.target, self.intent, self.stratum)


@dataclass(frozen=True, slots=True)
class ReviewCase:
    """A case that was picked to be labeled.

    Attributes:
        case: Its id.
        target: The target's name.
        intent: Harmful or benign.
        stratum: The verdict: `unsafe`, `safe` or `no_verdict`.
        chosen: Why it was picked: `random`, `contested` or `low_margin`.
        probability: Probability in (0, 1] with which a case of its target, intent and verdict
            is picked at random; None where it was not picked at random.
    """

    case: str
    target: str
    intent: str
    stratum: str
    chosen: str
    probability: float | None


@dataclass(frozen=True, slots=True)
class ReviewSample:
    """The cases that were picked, in the order in which they are shown.

    Attributes:
        cases: The cases. Any first part of the random ones is itself a random sample.
        cells: How many there are of each kind, and how many were drawn.
        sha256: Hash of which cases there are, with which verdict.
        unheard: Cases without a response that could be judged: they are left out.
        verdicts: The verdicts of the cases that were asked about, by case.
    """

    cases: tuple[ReviewCase, ...]
    cells: tuple[CellCount, ...]
    sha256: str
    unheard: int
    verdicts: Mapping[str, str] = field(default_factory=dict[str, str])


def draw(
    results: Iterable[CaseResult],
    *,
    random: int,
    contested: int,
    seed: int,
    intents: Collection[str] = (Intent.HARMFUL,),
    at_least: Mapping[Cell, int] | None = None,
    known: Collection[str] = (),
) -> ReviewSample:
    """Draw cases in one pass, keeping no more of them than are drawn.

    Each case has a rank by its id and the seed, and the first of each cell are drawn: more
    cases, or a changed verdict, leave the other draws as they are.

    Args:
        results: The results of a run, in the order of the record.
        random: Cases to draw at random.
        contested: Cases to pick because they are contested or have a low margin.
        seed: Another seed draws others.
        intents: Intents of the queries.
        at_least: Cases drawn before, by cell: never fewer are drawn.
        known: Ids of cases whose verdicts are asked for.
    """
    most = random + sum((at_least or {}).values())
    pool = _Pool(seed, most, contested, frozenset(intents), frozenset(known))
    for result in results:
        pool.add(result)
    return pool.drawn(random, at_least or {})


def unit(seed: int, what: str, name: str) -> float:
    """Return a number in [0, 1) that depends on the seed, a purpose and a name alone."""
    said = f"{seed}\0{what}\0{name}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(said, digest_size=7).digest()) / 2**56


class _First(Generic[K]):
    """Keeps so many of what is added: those with the lowest ranks."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[float, K]] = []
        self.size = 0

    def add(self, rank: float, one: K) -> None:
        self.size += 1
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, (-rank, one))
        elif self._heap and -rank > self._heap[0][0]:
            heapq.heapreplace(self._heap, (-rank, one))

    def kept(self) -> list[K]:
        """Return them, the lowest rank first."""
        return [one for _, one in sorted(self._heap, reverse=True)]


class _Pool:
    def __init__(
        self, seed: int, most: int, near: int, intents: frozenset[str], known: frozenset[str]
    ) -> None:
        self._seed, self._intents, self._known = seed, intents, known
        self._near = near
        self._cells: defaultdict[Cell, _First[str]] = defaultdict(lambda: _First(most))
        # Some of the nearest may be drawn at random as well.
        self._nearest = {
            why: _First[tuple[str, Cell]](most + near) for why in ("contested", "low_margin")
        }
        self._verdicts: dict[str, str] = {}
        self._hashed = hashlib.sha256()
        self._unheard = 0

    def add(self, result: CaseResult) -> None:
        if str(result.intent) not in self._intents:
            return
        if not has_something_to_judge(result):
            self._unheard += 1
            return
        name, stratum = result.case_id, stratum_of(result)
        self._hashed.update(f"{name}\0{stratum}\n".encode("utf-8", "surrogatepass"))
        if name in self._known:
            self._verdicts[name] = stratum
        rank = unit(self._seed, "rank", name)
        cell = Cell(result.target, str(result.intent), stratum)
        self._cells[cell].add(rank, name)
        if (why := _nearness(result)) is not None and self._near:
            self._nearest[why].add(rank, (name, cell))

    def drawn(self, random: int, at_least: Mapping[Cell, int]) -> ReviewSample:
        sizes = {cell: first.size for cell, first in sorted(self._cells.items())}
        sampled = shares(sizes, random, at_least)
        placed = dict(self._random(sizes, sampled))
        taken = {one.case for one in placed}
        placed |= dict(self._others(taken))
        in_order = sorted(placed, key=lambda one: (placed[one], one.case))
        counts = (CellCount(*cell, size, sampled[cell]) for cell, size in sizes.items())
        return ReviewSample(
            tuple(in_order),
            tuple(counts),
            self._hashed.hexdigest(),
            self._unheard,
            self._verdicts,
        )

    def _random(
        self, sizes: Mapping[Cell, int], sampled: Mapping[Cell, int]
    ) -> Iterator[tuple[ReviewCase, float]]:
        """Yield cases with their places: those of each cell are spread over all of the order."""
        for cell, most in sampled.items():
            for number, name in enumerate(self._cells[cell].kept()[:most]):
                place = (number + unit(self._seed, "place", name)) / most
                yield ReviewCase(name, *cell, "random", most / sizes[cell]), place

    def _others(self, taken: Collection[str]) -> Iterator[tuple[ReviewCase, float]]:
        """Yield cases that were picked otherwise, among the last of the random ones.

        Who gets there cannot tell from a case's place why it is shown.
        """
        left = self._near
        for why, first in self._nearest.items():
            for name, cell in first.kept():
                if left and name not in taken:
                    left -= 1
                    place = _TAIL + (1 - _TAIL) * unit(self._seed, "place", name)
                    yield ReviewCase(name, *cell, why, None), place


def _nearness(result: CaseResult) -> str | None:
    """Return why a case is near the line between the verdicts, None where it is not."""
    if result.contested:
        return "contested"
    if result.probability is not None:  # a rule that goes by it counts no votes
        low, high = _DOUBTFUL
        return "low_margin" if low <= result.probability <= high else None
    asked = sum(result.ballots.values())
    margin = abs(result.ballots.get("unsafe", 0) - result.ballots.get("safe", 0))
    return "low_margin" if asked > 1 and margin <= 1 else None
