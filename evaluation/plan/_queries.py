"""Selects the queries of a dataset that a run asks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ...common import ConfigurationError
from ...datasets import Query, Taxonomy


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


@dataclass(frozen=True, slots=True)
class Selection:
    """Part of a dataset: some scenarios, at most so many queries.

    Attributes:
        dataset: The whole set.
        scenarios: Canonical scenario ids to keep, None for all.
        size: Number of queries selected.
        matching: Number of queries of those scenarios.
        has_sound: Whether one of those has a sound.
    """

    dataset: QuerySet
    scenarios: frozenset[str] | None
    size: int
    matching: int
    has_sound: bool = False

    @classmethod
    def of(
        cls, dataset: QuerySet, scenarios: frozenset[str] | None, limit: int | None
    ) -> "Selection":
        """Select; `limit` queries are spread evenly over the set.

        Raises:
            ConfigurationError: No query is left.
        """
        everything = cls(dataset, scenarios, 0, 0)
        matching, has_sound = 0, False
        for query in everything._matching():
            matching += 1
            has_sound = has_sound or query.audio is not None
        if matching == 0:
            raise ConfigurationError(
                f"the dataset {dataset.name!r} has no query of the scenarios "
                f"{', '.join(sorted(scenarios or ()))}: change scenarios, or take them out"
            )
        size = matching if limit is None else min(limit, matching)
        return cls(dataset, scenarios, size, matching, has_sound)

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Query]:
        """Yield the queries in the order of the set, read again from disk."""
        for index, query in enumerate(self._matching()):
            # The k-th of n is taken where k * size / n passes a whole number.
            if (index * self.size) % self.matching < self.size:
                yield query

    def _matching(self) -> Iterator[Query]:
        for query in self.dataset:
            if self.scenarios is None or query.scenario in self.scenarios:
                yield query
