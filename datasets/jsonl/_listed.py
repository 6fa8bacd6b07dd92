"""Queries that a program has in memory, as a set that can be asked."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import msgspec

from ...common import DatasetError
from ...common.text import quoted
from ..query import Intent, Query, content_of
from ..taxonomy import Taxonomy, load_taxonomy
from ._line_checks import LineChecks

_encoder = msgspec.json.Encoder()


class QueryList:
    """Queries in memory, checked as those of a file are.

    Args:
        items: Queries, or mappings with the keys of a line of a query file; their pictures and
            sounds are named relative to the current directory.
        name: What errors call the set.

    Attributes:
        name: What errors call the set.
        sha256: Hash of all queries and the bytes of their media, as that of a file with them.
        notes: What a user should know of it, one sentence each.
        taxonomy: The bundled scenarios.

    Raises:
        DatasetError: What is wrong with which of them, counted from 1.
    """

    def __init__(self, items: Iterable[Query | Mapping[str, object]], *, name: str) -> None:
        self.name = name
        self.taxonomy: Taxonomy = load_taxonomy()
        checks = LineChecks(Path(name), self.taxonomy)
        self._queries = [
            _checked(item, number, checks, name) for number, item in enumerate(items, 1)
        ]
        if not self._queries:
            raise DatasetError(f"{name}: holds no queries")
        self.notes = checks.notes
        digest = hashlib.sha256()
        for query in self._queries:
            digest.update(_encoder.encode(content_of(query)) + b"\n")
        self.sha256 = digest.hexdigest()

    def __len__(self) -> int:
        return len(self._queries)

    def __iter__(self) -> Iterator[Query]:
        """Yield the queries in their order."""
        return iter(self._queries)

    def __repr__(self) -> str:
        return f"QueryList({self.name!r}, {len(self)} queries)"


def _checked(item: object, number: int, checks: LineChecks, name: str) -> Query:
    """Return a query that may be asked; one that is given as such keeps its media as they are."""
    if isinstance(item, Query):
        words = {"id": item.id, "scenario": item.scenario, "intent": item.intent}
        said = {"text": item.text or "(a conversation)", "labels": dict(item.labels)}
        line = checks.check(number, _written({**words, **said}, number, name))
        return replace(item, scenario=line.scenario, intent=Intent(item.intent))
    if isinstance(item, Mapping):
        return checks.check(number, _written(cast("Mapping[str, object]", item), number, name))
    raise DatasetError(
        f"{name}:{number}: {quoted(repr(item))} is neither a Query nor a mapping with its keys"
    )


def _written(item: Mapping[str, object], number: int, name: str) -> bytes:
    try:
        return json.dumps(dict(item), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{name}:{number}: cannot be written as JSON ({error})") from None
