"""Counts the queries of a set by what a plan tells apart."""

from collections import Counter

from ._query import Query


class QueryKinds:
    """Queries by scenario, intent and the media that they have; one of each kind is kept."""

    def __init__(self) -> None:
        self._counts = Counter[object]()
        self._firsts = dict[object, Query]()

    def add(self, query: Query) -> None:
        """Count a query."""
        media = len(query.images), query.audio is not None, tuple(query.others)
        kind = query.scenario, query.intent, media, bool(query.messages)
        self._firsts.setdefault(kind, query)
        self._counts[kind] += 1

    def counted(self) -> tuple[tuple[Query, int], ...]:
        """Return the first query of each kind, and how many there are."""
        return tuple((first, self._counts[kind]) for kind, first in self._firsts.items())
