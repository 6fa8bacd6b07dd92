"""The interface of the prompts for agents that work on queries."""

from collections.abc import Sequence
from typing import Protocol

from ._call import QueryCall


class QueryPrompts(Protocol):
    """Writes the calls about one kind of queries."""

    def propose(self, count: int, call_id: str) -> QueryCall:
        """Return the call for new queries."""
        ...

    def score(self, queries: Sequence[str], call_id: str) -> QueryCall:
        """Return the call for the scores of queries, numbered from 1."""
        ...

    def revise(self, queries: Sequence[str], remarks: Sequence[str], call_id: str) -> QueryCall:
        """Return the call for better versions of queries, given what was said of each."""
        ...
