"""Ties attacked queries to plain ones: by id, by a label, or by what the attack's words ask for."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Literal

import msgspec

from ...common.files import private_database
from ...common.text import normal_form
from ...datasets import Query
from ..metrics import QueryCounts
from ..record import AskedCase
from ..report import StoredRun
from ..trials import CaseResult
from ._figures import ATTACKED
from ._pairing import Judged
from ._sides import PLAIN

Tie = Literal["id", "label", "words"]
"""How attacked queries are tied to plain ones."""
_NOT_ATTACKED = ("", "none", "plain", "no_attack", "directrequest", "direct_request")
"""Values of an attack's label that name none, in lower case; a HarmBench method is one of them."""
NAMED = 3
"""Queries that an error names."""
_SCHEMA = """
CREATE TABLE cases (words TEXT, attack TEXT, result BLOB);
"""


@dataclass(frozen=True, slots=True)
class Attacks:
    """How attacked queries are told from plain ones.

    Attributes:
        label: The label that names a query's attack.
        base: The label that holds the id of the plain query; None to tie by ids or words.
    """

    label: str = "attack"
    base: str | None = None

    def of(self, case: AskedCase) -> str:
        """Return the attack that a query's label names, empty for none."""
        said = case.result.labels.get(self.label, "")
        return "" if said.lower() in _NOT_ATTACKED else said


@dataclass(frozen=True, slots=True)
class Subject:
    """A target whose resilience is measured.

    Attributes:
        first: The run of its plain queries.
        target: Its name there.
        condition: The condition of plain queries, empty for none.
        second: The run of its attacked queries, which may be the same.
        attacked: Its name there.
        under: The condition of attacked queries, None for all but that of the plain ones.
    """

    first: StoredRun
    target: str
    condition: str
    second: StoredRun
    attacked: str
    under: str | None = None

    @property
    def is_one(self) -> bool:
        """Whether plain and attacked queries are of one target of one run."""
        return self.first is self.second and self.target == self.attacked


@dataclass(slots=True)
class TiedQuery:
    """A query, plain and attacked.

    Attributes:
        plain: Its cases as it stands; None without any.
        ids: Ids of the plain queries: several where they ask in the same words.
        attacked: Its attacked cases by attack.
        together: Those of all attacks.
    """

    plain: Judged | None = None
    ids: set[str] = field(default_factory=set[str])
    attacked: dict[str, Judged] = field(default_factory=dict[str, Judged])
    together: Judged | None = None


@dataclass(frozen=True, slots=True)
class _Keyed:
    key: str
    attack: str
    result: CaseResult


def tied_queries(subject: Subject, attacks: Attacks, tie: Tie) -> Iterator[TiedQuery]:
    """Yield the queries of a target, each once, with all its cases.

    Plain queries of the same words are yielded as one, and cannot be told apart: which of them an
    attack is after is not known.

    Args:
        subject: The target.
        attacks: How attacked queries are told from plain ones.
        tie: How they are tied; by id nothing is kept in memory or on disk.
    """
    for _, cases in groupby(_keyed(subject, attacks, tie), key=attrgetter("key")):
        found = TiedQuery()
        for case in cases:
            if not case.attack:
                found.plain = _with(found.plain, case)
                found.ids.add(case.result.query_id)
                continue
            found.attacked[case.attack] = _with(found.attacked.get(case.attack), case)
            found.together = _with(found.together, case)
        yield found


def is_strange(query: TiedQuery, tie: Tie) -> bool:
    """Return whether a query is tied by an id that stands for something else where attacked."""
    if tie != "id" or query.plain is None:
        return False
    about = query.plain.counts.scenario, query.plain.intent
    attacked = query.attacked.values()
    return any((each.counts.scenario, each.intent) != about for each in attacked)


def _with(judged: Judged | None, case: _Keyed) -> Judged:
    result = case.result
    if judged is None:
        # By its id, as a key may be its words, which nobody is to read unasked.
        judged = Judged(QueryCounts(result.query_id, result.scenario), result.intent)
    judged.add(result)
    return judged


def _keyed(subject: Subject, attacks: Attacks, tie: Tie) -> Iterator[_Keyed]:
    """Yield the cases of a target sorted by query."""
    if subject.is_one:
        cases = _of_one(subject, attacks, tie)
        return cases if tie == "id" else _sorted(cases)
    plain = (
        _Keyed(_plain_key(case, tie), "", case.result)
        for case in subject.first.reader.asked(subject.target, subject.condition)
    )
    attacked = (
        _Keyed(_attacked_key(case, attacks, tie), _named(case, attacks), case.result)
        for case in subject.second.reader.asked(subject.attacked, subject.under or "")
    )
    if tie == "id":
        return heapq.merge(plain, attacked, key=attrgetter("key"))
    return _sorted(case for side in (plain, attacked) for case in side)


def _of_one(subject: Subject, attacks: Attacks, tie: Tie) -> Iterator[_Keyed]:
    for case in subject.first.reader.asked(subject.target, None):
        attack = attacks.of(case)
        if (name := case.result.condition) != subject.condition:
            if subject.under is not None and subject.under != name:
                continue
            attack = ", ".join(filter(None, (attack, name or PLAIN)))
        labeled = bool(attacks.of(case))
        key = _attacked_key(case, attacks, tie) if labeled else _plain_key(case, tie)
        yield _Keyed(key, attack, case.result)


def _named(case: AskedCase, attacks: Attacks) -> str:
    return attacks.of(case) or case.result.condition or ATTACKED


def _plain_key(case: AskedCase, tie: Tie) -> str:
    return _words(case.query.text) if tie == "words" else case.result.query_id


def _attacked_key(case: AskedCase, attacks: Attacks, tie: Tie) -> str:
    if tie == "words":
        return _words(_asked_for(case.query))
    if tie == "label" and attacks.base is not None:
        return case.result.labels.get(attacks.base, case.result.query_id)
    return case.result.query_id


def _asked_for(query: Query) -> str:
    return query.underlying_request or query.text


def _words(text: str) -> str:
    return " ".join(normal_form(text).split())


def _sorted(cases: Iterable[_Keyed]) -> Iterator[_Keyed]:
    """Yield cases sorted by key, from a temporary file where they are many."""
    kept = _Kept()
    encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(CaseResult).decode
    rows = ((case.key, case.attack, encode(case.result)) for case in cases)
    kept.database.executemany("INSERT INTO cases VALUES (?, ?, ?)", rows)
    for key, attack, result in kept.database.execute("SELECT * FROM cases ORDER BY words, rowid"):
        yield _Keyed(key, attack, decode(result))


class _Kept:
    """Owns a temporary database."""

    def __init__(self) -> None:
        self.database = private_database(self, _SCHEMA)
