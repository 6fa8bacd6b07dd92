"""Pairs the queries of two targets while both records are read, one query at a time."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ...agents import Finding
from ...common import RecordChangedError
from ...datasets import NEUTRAL_TEXT, Intent
from ...datasets.query import Query
from ...targets import WITHHELD
from ..metrics import QueryCounts
from ..record import AskedCase
from ..trials import CaseResult, asked_of


@dataclass(slots=True)
class Judged:
    """The finished cases of one query on one side: one for each epoch.

    Attributes:
        counts: What was counted of them.
        intent: Harmful or benign.
        asked: Hashes of what was asked; more than one where epochs ask in words of their own.
        said: What conditions leave as it is, by what it is.
        cases: Id and finding of each case, in order of their ids.
    """

    counts: QueryCounts
    intent: Intent
    asked: set[str] = field(default_factory=set[str])
    said: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    cases: list[tuple[str, Finding | None]] = field(
        default_factory=list[tuple[str, Finding | None]]
    )

    def add(self, result: CaseResult, query: Query | None = None) -> None:
        """Add a case, and what was asked where questions are compared."""
        self.counts.add(result)
        if query is not None:
            asked = _hash_of(query)
            self.asked |= set() if asked is None else {asked}
            for what, words in _said(query):
                self.said.setdefault(what, set()).add(words)
        self.cases.append((result.case_id, result.finding))

    @property
    def unsafe(self) -> float | None:
        """Share of its verdicts that are unsafe; None without a verdict."""
        found = [finding for _, finding in self.cases if finding is not None]
        return sum(one is Finding.UNSAFE for one in found) / len(found) if found else None


@dataclass(frozen=True, slots=True)
class Paired:
    """A query of either side or of both.

    Attributes:
        query_id: Its id.
        first: Its cases on the first side; None where there are none.
        second: Its cases on the second side.
    """

    query_id: str
    first: Judged | None
    second: Judged | None


def paired(first: Iterable[AskedCase], second: Iterable[AskedCase]) -> Iterator[Paired]:
    """Yield the queries of two sides, each once; cases come sorted by query.

    Raises:
        RecordChangedError: They are not sorted, so that what is recorded is not as it was written.
    """
    ours, theirs = _by_query(first), _by_query(second)
    one, other = next(ours, None), next(theirs, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one.counts.query_id < other.counts.query_id):
            assert one is not None  # else the loop had ended
            yield Paired(one.counts.query_id, one, None)
            one = next(ours, None)
        elif one is None or other.counts.query_id < one.counts.query_id:
            yield Paired(other.counts.query_id, None, other)
            other = next(theirs, None)
        else:
            yield Paired(one.counts.query_id, one, other)
            one, other = next(ours, None), next(theirs, None)


def _by_query(cases: Iterable[AskedCase]) -> Iterator[Judged]:
    judged: Judged | None = None
    for case in cases:
        result = case.result
        if judged is None or judged.counts.query_id != result.query_id:
            if judged is not None:
                yield judged
                if result.query_id < judged.counts.query_id:
                    raise RecordChangedError(
                        f"the query {result.query_id!r} came after {judged.counts.query_id!r}: "
                        "the record is not sorted as it was written: check it with safejury verify"
                    )
            judged = Judged(QueryCounts(result.query_id, result.scenario), result.intent)
        judged.add(result, case.query)
    if judged is not None:
        yield judged


def _hash_of(query: Query) -> str | None:
    """Return a hash of what is asked; other labels make no other question.

    None for a shareable copy, which does not know it.
    """
    if query.text == WITHHELD:
        return None
    asked = {**asked_of(query), "labels": None}
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _said(query: Query) -> Iterator[tuple[str, str]]:
    """Yield what conditions leave as it is, but for what they leave out."""
    yield "about", f"{query.intent.value} {query.scenario}"
    # Where only the sound is sent, or in a shareable copy, other words stand for it.
    if query.text not in (NEUTRAL_TEXT, WITHHELD):
        yield "text", query.text
    if query.underlying_request not in (None, WITHHELD):
        yield "request", query.underlying_request


def is_same_question(first: Judged, second: Judged, *, across: bool = False) -> bool:
    """Return whether a query asks the same on both sides.

    One side may have more epochs, which may ask in words of their own. A shareable copy does not
    know what it asks; see `on_runs`.

    Args:
        first: The query on one side.
        second: The same on the other.
        across: Whether the sides have different conditions, which change pictures and sound.
    """
    if not across and not _is_within(first.asked, second.asked):
        return False
    both = first.said.keys() & second.said.keys()
    return all(_is_within(first.said[what], second.said[what]) for what in both)


def _is_within(one: set[str], other: set[str]) -> bool:
    return one <= other or other <= one
