"""Joins recorded responses to the queries of a dataset, by id or by question."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal

from ...common import ConfigurationError
from ...common.files import private_database
from ...common.text import quoted
from ...datasets import Message, Query
from .readers.base import RecordedRow

JoinBy = Literal["id", "text"]
"""How a user can choose to join responses to queries."""

_SCHEMA = """
CREATE TABLE theirs (id TEXT PRIMARY KEY, bare TEXT, tail TEXT, stem TEXT);
CREATE TABLE words (words BLOB, id TEXT, PRIMARY KEY (words, id)) WITHOUT ROWID;
CREATE TABLE ours (number INTEGER PRIMARY KEY, id TEXT, placed INTEGER, bare TEXT, tail TEXT,
    stem TEXT, words BLOB, request BLOB, shown TEXT, said BLOB);
"""
_INDEXES = """
CREATE INDEX theirs_bare ON theirs (bare); CREATE INDEX theirs_tail ON theirs (tail, stem);
CREATE INDEX theirs_stem ON theirs (stem);
CREATE TABLE meant AS SELECT words, count(*) AS queries, min(id) AS id, max(id) AS other
    FROM words GROUP BY words;
CREATE UNIQUE INDEX of_meant ON meant (words);
CREATE TABLE unlike AS SELECT words FROM ours WHERE shown != '' GROUP BY words
    HAVING count(DISTINCT id) > 1 AND count(DISTINCT shown) > 1;
UPDATE ours SET said = CASE WHEN words IN (SELECT words FROM meant) THEN words
    WHEN request IN (SELECT words FROM meant) THEN request END;
"""
_FORMS = ("bare", "tail", "stem")
"""Of ids: without what all begin with up to a sign, the number at the end, and all before it."""
_OTHERS_WORDS = """said IS NOT NULL AND NOT EXISTS (SELECT 1 FROM words WHERE words.id = theirs.id
    AND words.words IN (ours.words, ours.request))"""
_TAIL = re.compile(r"(.*?)[^0-9A-Za-z]*([0-9]+)")
_UP_TO_A_SIGN = re.compile(r".*[^0-9A-Za-z]", re.DOTALL)


_SAY_WHICH = (
    "map the ids (id=COLUMN), or say what counts with --join id or --join text (`join:` of a "
    "target)"
)


@dataclass(frozen=True, slots=True)
class JoinResult:
    """How the responses of a file were joined to the queries of a dataset.

    Attributes:
        how: In words, such as `by text`.
        matched: Responses that answer a query.
        total: All responses.
    """

    how: str
    matched: int
    total: int

    def __str__(self) -> str:
        several = "1 response" if self.total == 1 else f"{self.total:,} responses"
        return f"{self.matched:,} of {several} joined {self.how}"


class Join:
    """Joins responses to the queries of a dataset.

    Ids are compared as they are, else in one form that pairs every response with one query:
    without the prefix that all of them share, by the number at their end, or without it.
    Questions are compared by their words, space aside, of a conversation by those of all its
    turns; what an attack's words ask for counts as its question too. What matches all responses
    is taken, and nothing is taken in which ids and words contradict each other, or in which
    ids match by half or but for a step, as long as no words confirm them.

    Args:
        rows: The responses with their numbers.
        queries: The set.
        owner: Whose they are, in words.
        by: How to join, None for whatever matches all.

    Attributes:
        result: How they were joined.

    Raises:
        ConfigurationError: It is not clear how.
    """

    def __init__(
        self,
        rows: Iterable[tuple[int, RecordedRow]],
        queries: Iterable[Query],
        owner: str,
        by: JoinBy | None,
    ) -> None:
        self._owner = owner
        self._database = private_database(self, _SCHEMA)
        self._take(rows, queries)
        self._total = self._number("SELECT count(*) FROM ours")
        self._form = self._choose(by)
        self.result = self._summarize()

    def pairs(self) -> Iterator[tuple[int, str | None, str]]:
        """Yield each response's number, with its query, or with the reason why it has none."""
        none = f"answers no query of {self._owner}"
        if self._form is not None:
            for number, query in self._rows(
                f"SELECT number, theirs.id FROM ours LEFT JOIN theirs "
                f"ON theirs.{self._form} = ours.{self._form}"
            ):
                yield number, query, none
            return
        for number, queries, query, other, unlike in self._rows(
            "SELECT number, queries, meant.id, other, said = ours.words AND said IN unlike "
            "FROM ours LEFT JOIN meant ON meant.words = ours.said"
        ):
            if queries == 1 and unlike:
                why = f"asks what {quoted(query)} does, as other responses with other pictures do"
                yield number, None, f"{why}: only an id can tell which one"
                continue
            if queries is None or queries == 1:
                yield number, query, none
                continue
            several = f"{queries:,} queries of {self._owner} do, such as {quoted(query)}"
            why = f"asks what {several} and {quoted(other)}: only an id can tell which one"
            yield number, None, why

    def _take(self, rows: Iterable[tuple[int, RecordedRow]], queries: Iterable[Query]) -> None:
        for query in queries:
            tail, stem = _parts(query.id)
            self._rows(
                "INSERT OR IGNORE INTO theirs (id, tail, stem) VALUES (?, ?, ?)",
                (query.id, tail, stem),
            )
            asked = _asked(query.text, query.messages), _hash(query.underlying_request)
            for words in filter(None, asked):
                self._rows("INSERT OR IGNORE INTO words VALUES (?, ?)", (words, query.id))
        for number, row in rows:
            said = _asked(row.text, row.messages), _hash(row.underlying_request)
            values = (number, row.query_id, row.numbered, *_parts(row.query_id), *said)
            self._rows(
                "INSERT INTO ours (number, id, placed, tail, stem, words, request, shown) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, "\n".join(row.images)),
            )
        for table in ("ours", "theirs"):
            first, last = self._one(f"SELECT min(id), max(id) FROM {table}")
            shared = _shared(first or "", last or "")
            self._rows(f"UPDATE {table} SET bare = substr(id, ?)", (len(shared) + 1,))
        for statement in _INDEXES.split(";"):
            self._rows(statement)

    def _choose(self, by: JoinBy | None) -> str | None:
        """Choose the form of the ids to join by, None to join by question text."""
        if by == "text":
            return None
        whole = self._whole(by)
        if by is None and whole and self._contradicted("id"):
            raise ConfigurationError(self._unclear())
        if whole == self._total:
            return "id"
        forms = [form for form in _FORMS if self._pairs_all(form)]
        agreeing = [form for form in forms if not self._contradicted(form)]
        if agreeing or (forms and by == "id"):
            first, *others = agreeing or forms
            for other in others:
                self._refuse_two(first, other)
            if by is None:
                self._refuse_unlike(first)
            return first
        if by is None and (not whole or self._worded() > whole):
            return None
        if by is None:
            self._refuse_shifted(whole)
        return "id"

    def _whole(self, by: JoinBy | None) -> int:
        """Return how many responses have the id of a query; positions in a file do not count."""
        placed = by is None and self._number("SELECT max(placed) FROM ours")
        return 0 if placed and not self._confirmed("id") else self._matched("id")

    def _pairs_all(self, form: str) -> bool:
        """Return whether a form of the ids is a one-to-one match of responses and queries."""
        ids, forms, placed = self._one(
            f"SELECT count(DISTINCT id), count(DISTINCT {form}), max(placed) FROM ours"
        )
        twice = self._one(
            f"SELECT 1 FROM theirs WHERE {form} IN (SELECT {form} FROM ours) "
            f"GROUP BY {form} HAVING count(*) > 1"
        )
        # A place in the file is no id: the n-th response need not answer the n-th query.
        if placed or ids != forms or twice or self._matched(form) != self._total:
            return False
        return ids == self._number("SELECT count(*) FROM theirs") or self._confirmed(form)

    def _confirmed(self, form: str) -> bool:
        """Return whether the question text confirms this pairing for some response."""
        paired = (
            f"ours JOIN theirs ON theirs.{form} = ours.{form} "
            "JOIN meant ON meant.words = said WHERE queries = 1"
        )
        return bool(
            self._number(f"SELECT EXISTS (SELECT 1 FROM {paired} AND NOT ({_OTHERS_WORDS}))")
        )

    def _refuse_two(self, one: str, other: str) -> None:
        found = self._one(
            f"SELECT ours.id, theirs.id, another.id FROM ours "
            f"JOIN theirs ON theirs.{one} = ours.{one} "
            f"JOIN theirs AS another ON another.{other} = ours.{other} "
            "WHERE theirs.id != another.id"
        )
        if found:
            own, *queries = map(quoted, found)
            raise ConfigurationError(
                f"the id {own} may mean the query {' or '.join(queries)} of {self._owner}: join by "
                "what was asked with --join text (`join:` of a target), or map the ids (id=COLUMN)"
            )

    def _refuse_unlike(self, form: str) -> None:
        """Raise an error for paired ids that agree in one half but contradict in the other."""
        if form == "bare" or self._confirmed(form):
            return
        other = "ours.tail != theirs.tail"
        if form == "tail":
            # A prefix that all ids of a file or dataset share distinguishes nothing.
            several = "SELECT count(DISTINCT ifnull(stem, '')) > 1 FROM"
            other = (
                "lower(ifnull(ours.stem, '')) != lower(ifnull(theirs.stem, '')) "
                f"AND ({several} ours) AND ({several} theirs)"
            )
        found = self._one(
            f"SELECT ours.id, theirs.id FROM ours JOIN theirs ON theirs.{form} = ours.{form} "
            f"WHERE {other}"
        )
        if found:
            own, query = map(quoted, found)
            raise ConfigurationError(
                f"only a part of the ids matches, as of {own} and the query {query} of "
                f"{self._owner}, and nothing says that they mean the same: {_SAY_WHICH}"
            )

    def _refuse_shifted(self, whole: int) -> None:
        """Raise an error for ids that would also match with numbering shifted by one."""
        if self._confirmed("id"):
            return
        for step in (1, -1):
            shifted = (
                "ours JOIN theirs ON theirs.stem IS ours.stem "
                f"AND theirs.tail = CAST(CAST(ours.tail AS INTEGER) + {step} AS TEXT)"
            )
            number = self._number(f"SELECT count(DISTINCT number) FROM {shifted}")
            if whole and number == self._total:
                own, query = map(quoted, self._one(f"SELECT ours.id, theirs.id FROM {shifted}"))
                raise ConfigurationError(
                    f"{whole:,} of {number:,} ids are those of queries of {self._owner}, but all "
                    f"are if each is taken for the {'next' if step > 0 else 'one before'}, as "
                    f"{own} for {query}: does one of them count from 0 and the other from 1? "
                    f"{_SAY_WHICH[0].upper()}{_SAY_WHICH[1:]}"
                )

    def _unclear(self) -> str:
        count, own, asked = self._one(
            "SELECT count(*) OVER (), ours.id, meant.id FROM ours JOIN theirs "
            f"ON theirs.id = ours.id JOIN meant ON meant.words = said WHERE {_OTHERS_WORDS}"
        )
        several = "1 response has" if count == 1 else f"{count:,} responses have"
        return (
            f"{several} the id of one query of {self._owner}, but what was asked is that of "
            f"another: that of {quoted(own)} asks what {quoted(asked)} does. Say what counts with "
            "--join id or --join text (`join:` of a target)"
        )

    def _summarize(self) -> JoinResult:
        if self._form is None:
            return JoinResult("by text", self._worded(), self._total)
        how = "by id"
        if self._form != "id":
            own, query = self._one(
                f"SELECT ours.id, theirs.id FROM ours JOIN theirs "
                f"ON theirs.{self._form} = ours.{self._form} ORDER BY number"
            )
            how = f"by id, {quoted(own)} as {quoted(query)}"
        if others := self._contradicted(self._form):
            how += f"; {others:,} of them ask what another query does"
        if unknown := self._unknown():
            how += f"; {unknown:,} of them ask in words that no query has"
        return JoinResult(how, self._matched(self._form), self._total)

    def _worded(self) -> int:
        """Return how many responses have the question text of exactly one query."""
        return self._number(
            "SELECT count(*) FROM ours JOIN meant ON meant.words = said WHERE queries = 1 "
            "AND NOT (said IS ours.words AND said IN unlike)"
        )

    def _unknown(self) -> int:
        """Return how many responses matched by id have a question that no query has."""
        return self._number(
            "SELECT count(*) FROM ours WHERE said IS NULL AND ifnull(words, request) NOT NULL "
            f"AND {self._form} IN (SELECT {self._form} FROM theirs)"
        )

    def _matched(self, form: str) -> int:
        return self._number(
            f"SELECT count(*) FROM ours WHERE {form} IN (SELECT {form} FROM theirs)"
        )

    def _contradicted(self, form: str) -> int:
        """Return how many responses are paired with one query but ask another's question."""
        return self._number(
            f"SELECT count(*) FROM ours JOIN theirs ON theirs.{form} = ours.{form} "
            f"WHERE {_OTHERS_WORDS}"
        )

    def _number(self, statement: str) -> int:
        return self._one(statement)[0]

    def _one(self, statement: str) -> tuple[Any, ...]:
        return self._rows(statement).fetchone() or ()

    def _rows(self, statement: str, values: tuple[object, ...] = ()) -> Any:
        return self._database.execute(statement, values)


def _asked(text: str | None, messages: Iterable[Message]) -> bytes | None:
    """Return a key of a question; for a conversation, of all its turns.

    How the target was set up is not what was asked.
    """
    turns = [turn for turn in messages if turn.role != "system"]
    if not turns or (len(turns) == 1 and turns[0].role == "user"):
        return _hash(turns[0].text if turns else text)
    parts = (
        (turn.role, turn.text, *(word for c in turn.tool_calls for word in (c.name, c.arguments)))
        for turn in turns
    )
    return _hash("\x00".join(word for part in parts for word in part))


def _hash(text: str | None) -> bytes | None:
    """Return the hash of a question's text, whitespace ignored; None without text."""
    words = " ".join((text or "").split())
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest() if words else None


def _shared(first: str, last: str) -> str:
    """Return the common prefix of two ids, up to its last separator."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    found = _UP_TO_A_SIGN.match("".join(one for one, _ in same))
    return "" if found is None else found[0]


def _parts(name: str) -> tuple[str | None, str | None]:
    """Split an id into its trailing number and the text before it."""
    found = _TAIL.fullmatch(name)
    return (None, name) if found is None else (found[2].lstrip("0") or "0", found[1] or None)
