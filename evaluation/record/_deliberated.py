"""Streams cases of a record: what was asked, and what the jury said, checked on the way."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ...datasets import Query
from ...targets import Response
from ..trials import CaseResult
from ._chain import START, head, link
from .integrity import ChangedCase, CheckedCase, Integrity

TRANSCRIPT_OF = "SELECT number, kind, body FROM entries WHERE case_id = ? ORDER BY number"
"""SQL for the transcript of a case, as `deliberated` takes it."""

# The opening of a case is its first entry, and holds the response that the jury judged.
ASKED = """
SELECT case_id, target, epoch, body FROM cases JOIN entries USING (case_id) WHERE number = 0
"""
"""SQL for the openings of all cases."""
GIVEN_UP = "SELECT count(*) FROM cases WHERE response_outcome = 'gave_up' AND finding IS NULL"
"""SQL for the number of cases in which an attack found nothing to ask."""
DISTINCT = """
SELECT count(*) FROM (
    SELECT DISTINCT query_id, epoch, json_extract(result, '$.condition') FROM cases)
"""
"""SQL for the number of different questions."""
OPENING = "SELECT body FROM entries WHERE case_id = ? AND number = 0"
"""SQL for the entry that opened a case."""
OF_TARGET = """
SELECT case_id, result FROM cases
WHERE target = ?1 AND (?2 IS NULL OR ifnull(json_extract(result, '$.condition'), '') = ?2)
ORDER BY query_id, case_id
"""
"""SQL for the finished cases of a target, under one condition or all."""
GROUPS = """
SELECT target, ifnull(json_extract(result, '$.condition'), ''), count(*) FROM cases
GROUP BY 1, 2 ORDER BY 1, 2
"""
"""SQL for the number of finished cases by target and condition."""
LABELS = """
SELECT DISTINCT label.key FROM cases, json_each(result, '$.labels') AS label
WHERE target = ? ORDER BY 1
"""
"""SQL for the names of the labels of a target's queries."""
DISCUSSED = """
SELECT DISTINCT case_id, query_id FROM entries JOIN cases USING (case_id)
WHERE kind = 'DiscussionOpened'
"""
"""SQL for the cases that were discussed."""
ROUNDS = """
SELECT case_id, query_id, body FROM entries JOIN cases USING (case_id)
WHERE kind = 'BallotsRevealed' ORDER BY query_id, case_id, number
"""
DISCUSSIONS = """
SELECT case_id, query_id, target, result FROM cases
WHERE json_extract(result, '$.rounds') > 1 ORDER BY query_id, case_id
"""
"""SQL for their results."""
SAID = """
SELECT kind, body FROM entries WHERE case_id = ?
    AND kind IN ('BallotsRevealed', 'RemarkMade', 'SummedUp', 'TalkAudited') ORDER BY number
"""
"""SQL for what was voted and said in one of them."""


class _CaseQuery(msgspec.Struct):
    query: Query


class _CaseResponse(msgspec.Struct):
    response: Response


class QueryOf(msgspec.Struct):
    """The part of a `CaseOpened` that holds the query."""

    case: _CaseQuery


class ResponseOf(msgspec.Struct):
    """The part of a `CaseOpened` that holds the response."""

    case: _CaseResponse


@dataclass(frozen=True, slots=True)
class AskedCase:
    """A finished case, and its query as it was put to the target.

    Attributes:
        result: The case's result, without its ballots by juror.
        query: The query, changed by its condition.
    """

    result: CaseResult
    query: Query


@dataclass(frozen=True, slots=True)
class Deliberated:
    """A finished case and the rounds of its jury, as they are stored.

    Attributes:
        case_id: The case's id.
        target: The target's name.
        query_id: The query's id.
        scenario: Canonical scenario id.
        intent: `harmful` or `benign`.
        finding: What was found, None for no verdict.
        result: JSON of its `CaseResult`.
        rounds: JSON of its `BallotsRevealed`, round 0 first; empty where the response was not
            heard.
    """

    case_id: str
    target: str
    query_id: str
    scenario: str
    intent: str
    finding: str | None
    result: str
    rounds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Discussion:
    """A finished case that was discussed, and what was voted and said in it, as it is stored.

    Attributes:
        case_id: The case's id.
        query_id: The query's id.
        target: The target's name.
        result: JSON of its `CaseResult`.
        entries: Kind and JSON of its ballots, remarks and summary, and of its talk audit.
    """

    case_id: str
    query_id: str
    target: str
    result: str
    entries: tuple[tuple[str, str], ...]


def deliberated(
    cases: Iterable[tuple[object, ...]],
    transcript: Callable[[str], Iterable[tuple[object, ...]]],
    check: Callable[[str], CheckedCase],
    report: Callable[[ChangedCase], None],
) -> Iterator[Deliberated]:
    """Yield cases that are as they were recorded.

    Args:
        cases: Rows of finished cases: id, target, query, epoch, scenario, intent, outcome of
            the response, finding, rating, result and head.
        transcript: Returns the rows of `TRANSCRIPT_OF` of a case.
        check: Checks a case that an earlier version recorded without a chain.
        report: Called with each changed case, which is not yielded.
    """
    for row in cases:
        case_id, last, rounds = str(row[0]), START, list[str]()
        for number, kind, body in transcript(case_id):
            if type(number) is int and type(kind) is str and type(body) is str:
                last = link(last, case_id, number, kind, body)
                if kind == "BallotsRevealed":
                    rounds.append(body)
        why = None
        if row[-1] is None:
            why = check(case_id).why
        elif head(last, row[:-1]) != row[-1]:
            why = "its chain does not match its transcript and result"
        if why is not None:
            report(ChangedCase(case_id, why))
            continue
        finding = None if row[7] is None else str(row[7])
        target, query, scenario, intent = (str(row[at]) for at in (1, 2, 4, 5))
        said = (target, query, scenario, intent, finding, str(row[9]))
        yield Deliberated(case_id, *said, tuple(rounds))


def describe_changed(directory: Path, some: Sequence[ChangedCase], found: Integrity) -> str:
    """Return that a record was changed, with some of the changed cases, and what to do."""
    named = [f"{one.case_id}: {one.why}" for one in some]
    if not found.changed:
        those = f"{found.about}, after it was recorded"
    elif found.changed == 1:
        those = "1 case was changed after it was recorded"
    else:
        those = f"{found.changed:,} cases were changed after they were recorded"
    more = "; …" if found.changed > len(some) else ""
    shown = f" ({'; '.join(named)}{more})" if named else ""
    return (
        f"{directory}: {those}, so its figures cannot be trusted{shown}. "
        f"`safejury verify {directory}` lists all changes; restore the directory "
        "from a copy."
    )
