"""Finds the kept cases of a record, to compare them with what is asked now."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from ....datasets import Intent, Query
from ....targets import Response
from ...trials import Exchange, PlannedCases
from .._schema import HAS_TABLE, has_heads
from ..identity import SHARED

_INDEX = """
CREATE TEMP TABLE by_query (query_id TEXT, case_id TEXT, target TEXT, epoch INTEGER,
    condition TEXT, judged INTEGER, PRIMARY KEY (query_id, case_id)) WITHOUT ROWID;
"""
_FILL = """
INSERT INTO temp.by_query
SELECT query_id, case_id, target, epoch, coalesce(json_extract(result, '$.condition'), ''), 1
FROM main.cases
"""
_ANSWERS = "SELECT case_id, json_extract(body, '$.query.id') FROM main.answers"
_ADD = "INSERT OR IGNORE INTO temp.by_query VALUES (?, ?, ?, ?, ?, 0)"
_OF = """
SELECT by_query.case_id, target, epoch, condition, judged, entries.body
FROM temp.by_query LEFT JOIN main.entries
    ON entries.case_id = by_query.case_id AND entries.number = 0
WHERE query_id = ? ORDER BY judged DESC, condition, by_query.case_id
"""
_ANSWER = "SELECT body FROM main.answers WHERE case_id = ?"
_KINDS = """
SELECT case_id, target, coalesce(json_extract(result, '$.condition'), ''), scenario, intent
FROM cases ORDER BY case_id
"""
_WITH_SOUND = """
SELECT 1 FROM cases JOIN entries USING (case_id)
WHERE number = 0 AND json_extract(body, '$.case.query.audio') IS NOT NULL LIMIT 1
"""
_LEFT = "SELECT query_id, target FROM temp.by_query WHERE judged ORDER BY query_id, case_id"
_ORIGINAL = f"""
SELECT cases.case_id, json_extract(body, '$.{SHARED}')
FROM cases LEFT JOIN entries ON entries.case_id = cases.case_id AND number = 0
ORDER BY cases.case_id
"""


class _Case(msgspec.Struct):
    query: Query
    response: Response


class _Opened(msgspec.Struct):
    case: _Case


@dataclass(frozen=True, slots=True)
class KeptCase:
    """A finished case, or one that was answered and not judged yet.

    Attributes:
        case_id: Its id.
        target: The target's name.
        epoch: Repetition, from 0.
        condition: Name of its condition, empty for none.
        query: The query as it was put; None where its transcript has no opening.
        response: The response.
        judged: Whether it is finished.
    """

    case_id: str
    target: str
    epoch: int
    condition: str
    query: Query | None
    response: Response | None
    judged: bool


class KeptCases:
    """What a record keeps of its cases.

    Args:
        database: The record, open for reading.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def rows(self, query: str, *values: str) -> Iterator[tuple[Any, ...]]:
        """Return rows of the record, which may be left unread when it is closed."""
        return self._database.execute(query, values)

    def has(self, table: str) -> bool:
        """Return whether the version that wrote the record had a table."""
        return self._database.execute(HAS_TABLE, (table,)).fetchone() is not None

    @property
    def head(self) -> str:
        """SQL for the head of a case's chain, which earlier versions did not keep."""
        return "head" if has_heads(self._database) else "NULL"

    def ids(self) -> Iterator[str]:
        """Yield the ids of finished cases."""
        for (case_id,) in self._database.execute("SELECT case_id FROM cases"):
            yield str(case_id)

    def original_heads(self) -> Iterator[tuple[str, str]]:
        """Yield the cases of a shareable copy, each with what stands for its head."""
        for case_id, found in self._database.execute(_ORIGINAL):
            yield str(case_id), str(found)

    def kinds(self) -> Iterator[tuple[PlannedCases, str]]:
        """Yield the kind of each finished case, as one planned case, with the case's id."""
        for case_id, target, condition, scenario, intent in self._database.execute(_KINDS):
            yield PlannedCases(target, condition, scenario, Intent(intent), 1), str(case_id)

    def has_sound(self) -> bool:
        """Return whether a finished case has sound."""
        return self._database.execute(_WITH_SOUND).fetchone() is not None

    def by_query(self) -> "CasesByQuery":
        """Index the cases by their query."""
        return CasesByQuery(self._database)


class CasesByQuery:
    """The cases of a record by query, indexed outside of memory.

    Args:
        database: The record, open for reading.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._decode = msgspec.json.Decoder(_Opened).decode
        database.execute("DROP TABLE IF EXISTS temp.by_query")
        database.execute(_INDEX)
        database.execute(_FILL)
        if database.execute(HAS_TABLE, ("answers",)).fetchone() is not None:
            waiting = database.execute(_ANSWERS).fetchall()
            database.executemany(_ADD, (_parts(str(name), str(query)) for name, query in waiting))

    def take(self, query_id: str) -> list[KeptCase]:
        """Return the cases of a query, which are then known to be in the set."""
        found = [self._case(row) for row in self._database.execute(_OF, (query_id,)).fetchall()]
        if found:
            self._database.execute("DELETE FROM temp.by_query WHERE query_id = ?", (query_id,))
        return found

    def left(self) -> Iterator[tuple[str, str]]:
        """Yield query and target of each finished case whose query was not taken."""
        for query_id, target in self._database.execute(_LEFT):
            yield str(query_id), str(target)

    def _case(self, row: tuple[Any, ...]) -> KeptCase:
        name, target, epoch, condition, judged, body = row
        query, response = None, None
        if not judged:
            ((answer,),) = self._database.execute(_ANSWER, (name,)).fetchall()
            exchange = msgspec.json.decode(answer, type=Exchange)
            query, response = exchange.query, exchange.response
        elif body is not None:
            case = self._decode(body).case
            query, response = case.query, case.response
        place = (str(name), str(target), int(epoch), str(condition))
        return KeptCase(*place, query, response, bool(judged))


def _parts(case_id: str, query_id: str) -> tuple[str, str, str, int, str]:
    """Return the columns of a case that only its id tells."""
    target, epoch, *condition = case_id.removeprefix(f"{query_id}/").split("/", 2)
    return query_id, case_id, target, int(epoch), "".join(condition)
