"""Counts the queries of a set by what a plan tells apart."""

from ._query import Query


class QueryKinds:
    """Queries by scenario, intent and the media that they have; one of each kind is kept."""

    def __init__(self) -> None:
        self._counts: dict[object, list[int]] = {}
        self._firsts: dict[object, Query] = {}

    def add(self, query: Query) -> None:
        """Count a query."""
        media = len(query.images), query.audio is not None, tuple(query.others)
        kind = query.scenario, query.intent, media, bool(query.messages)
        count = self._counts.get(kind)
        if count is None:
            self._firsts[kind] = query
            self._counts[kind] = [1]
        else:
            count[0] += 1

    def counted(self) -> tuple[tuple[Query, int], ...]:
        """Return the first query of each kind, and how many there are."""
        return tuple((first, self._counts[kind][0]) for kind, first in self._firsts.items())
