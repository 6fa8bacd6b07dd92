"""Selects the queries of a dataset that a run asks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ...common import ConfigurationError
from ...datasets import Dataset, Query, Taxonomy
from ...datasets.query import QueryKinds
from ..record import Meta


class QuerySet(Protocol):
    """Queries that can be iterated repeatedly, always in the same order."""

    @property
    def name(self) -> str:
        """Name of the set."""
        ...

    @property
    def sha256(self) -> str:
        """Hash of all queries and the bytes of their media."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """Notes for the user."""
        ...

    @property
    def taxonomy(self) -> Taxonomy:
        """The scenarios that its queries name."""
        ...

    def __iter__(self) -> Iterator[Query]:
        """Yield the queries."""
        ...


def _chosen(sizes: Sequence[int], matching: int) -> Iterator[bool]:
    """Yield of each query of a set whether it is chosen.

    Args:
        sizes: The first is spread evenly over the set, what each next one has more over the rest.
        matching: Number of queries.
    """
    seen = [0] * len(sizes)
    for _ in range(matching):
        left, before, chosen = matching, 0, False
        for at, size in enumerate(sizes):
            wanted = size - before
            # The k-th of n is taken where k * size / n passes a whole number.
            chosen = (seen[at] * wanted) % left < wanted
            seen[at] += 1
            if chosen:
                break
            left, before = left - wanted, size
        yield chosen


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a run that is begun selected of its set.

    Attributes:
        sha256: Hash of the set.
        scenarios: Its scenarios, as the config named them; None for all.
        limit: The most queries, None for all.
        earlier: Sizes of its selections before.
    """

    sha256: str
    scenarios: Sequence[str] | None
    limit: int | None
    earlier: tuple[int, ...] = ()

    @classmethod
    def of(cls, meta: Meta) -> "Earlier":
        """Return what the run of a record selected."""
        said = meta.identity
        sha256 = str(said.get("dataset", {}).get("sha256"))
        return cls(sha256, said.get("scenarios"), said.get("limit"), meta.selected)

    def within(
        self, dataset: "QuerySet", scenarios: frozenset[str] | None, size: int, matching: int
    ) -> tuple[int, ...]:
        """Return the sizes of the selections that one of this size must hold.

        Args:
            dataset: The set now.
            scenarios: Canonical scenario ids now, None for all.
            size: The number of queries now.
            matching: Those of the scenarios.
        """
        if dataset.sha256 != self.sha256:
            return ()
        taxonomy = dataset.taxonomy
        before = self.scenarios and frozenset(taxonomy.resolve(it).id for it in self.scenarios)
        if (before or None) != scenarios:
            return ()
        sizes = (*self.earlier, matching if self.limit is None else min(self.limit, matching))
        if size in sizes:
            return sizes[: sizes.index(size)]
        if size < sizes[-1] or size == matching:
            return ()
        chosen = zip(_chosen((size,), matching), _chosen(sizes, matching), strict=True)
        return () if all(now or not then for now, then in chosen) else sizes


def _kinds(queries: Iterable[Query]) -> tuple[tuple[Query, int], ...]:
    """Count queries by what a plan counts apart, and by what `applies` looks at."""
    kinds = QueryKinds()
    for query in queries:
        kinds.add(query)
    return kinds.counted()


def _kinds_of(dataset: QuerySet, scenarios: frozenset[str] | None) -> tuple[tuple[Query, int], ...]:
    """Count those of the queries of a set that are of some scenarios."""
    # A query file is counted while it is checked: to read it once more takes as long.
    kinds = dataset.kinds if isinstance(dataset, Dataset) else _kinds(dataset)
    return tuple(each for each in kinds if scenarios is None or each[0].scenario in scenarios)


@dataclass(frozen=True, slots=True)
class Selection:
    """Part of a dataset: some scenarios, at most so many queries.

    Attributes:
        dataset: The whole set.
        scenarios: Canonical scenario ids to keep, None for all.
        size: Number of queries selected.
        matching: Number of queries of those scenarios.
        has_sound: Whether one of those has a sound.
        earlier: Sizes of earlier selections of a run that took more queries since, the smallest
            first, each a part of the next: what was asked is asked still.
        counted: See `kinds`, where all of those queries are selected.
    """

    dataset: QuerySet
    scenarios: frozenset[str] | None
    size: int
    matching: int
    has_sound: bool = False
    earlier: tuple[int, ...] = ()
    counted: tuple[tuple[Query, int], ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def of(
        cls,
        dataset: QuerySet,
        scenarios: frozenset[str] | None,
        limit: int | None,
        before: "Earlier | None" = None,
    ) -> "Selection":
        """Select; `limit` queries are spread evenly over the set.

        Args:
            dataset: The set.
            scenarios: Canonical scenario ids to keep, None for all.
            limit: The most queries, None for all.
            before: What the run selected before, None where it has not begun.

        Raises:
            ConfigurationError: No query is left.
        """
        kinds = _kinds_of(dataset, scenarios)
        matching = sum(number for _, number in kinds)
        has_sound = any(query.audio is not None for query, _ in kinds)
        if matching == 0:
            raise ConfigurationError(
                f"the dataset {dataset.name!r} has no query of the scenarios "
                f"{', '.join(sorted(scenarios or ()))}: change scenarios, or take them out"
            )
        size = matching if limit is None else min(limit, matching)
        earlier = () if before is None else before.within(dataset, scenarios, size, matching)
        counted = kinds if size == matching else ()
        return cls(dataset, scenarios, size, matching, has_sound, earlier, counted)

    @property
    def kinds(self) -> tuple[tuple[Query, int], ...]:
        """One query of each kind that plan and conditions tell apart, and how many there are."""
        return self.counted or _kinds(self)

    @property
    def known(self) -> tuple[QuerySet, frozenset[str] | None, int, int]:
        """What `Earlier.within` needs of it."""
        return self.dataset, self.scenarios, self.size, self.matching

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Query]:
        """Yield the queries in the order of the set, read again from disk."""
        for query, chosen in zip(
            self._matching(), _chosen((*self.earlier, self.size), self.matching), strict=False
        ):
            if chosen:
                yield query

    def _matching(self) -> Iterator[Query]:
        for query in self.dataset:
            if self.scenarios is None or query.scenario in self.scenarios:
                yield query
