"""Chooses cases: by what was found of them, what they are of, and their words."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ...agents import Case, Finding
from ...datasets import words_in, words_of
from ..metrics import NO_VERDICT
from ._rows import CaseRow

VERDICTS = (*(str(finding) for finding in Finding), NO_VERDICT)


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What cases must be, all at once; of several values of one field any will do.

    Attributes:
        unsafe: Found unsafe.
        contested: Contested in round 0.
        changed: Of another verdict than round 0 had; see `CaseRow.changed`.
        outcome: A verdict (`unsafe`, `safe`, `no_verdict`), or how asking the target ended.
        scenario: Scenario ids, categories, or beginnings of them; see `is_of`.
        target: Names of targets.
        condition: Names of conditions; the empty name is that of the queries as they are.
        intent: `harmful` or `benign`.
        query: Ids of queries.
        text: Words that the question or the response has, all of them, in any case.
        labels: Values of labels, by name.
    """

    unsafe: bool = False
    contested: bool = False
    changed: bool = False
    outcome: tuple[str, ...] = ()
    scenario: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    condition: tuple[str, ...] = ()
    intent: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    text: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def accepts(self, row: CaseRow) -> bool:
        """Return whether a case is chosen, as far as its row tells; its words do not count."""
        return (
            (not self.unsafe or row.verdict == Finding.UNSAFE)
            and (not self.contested or row.contested)
            and (not self.changed or row.changed)
            and (not self.outcome or row.verdict in self.outcome or row.response in self.outcome)
            and (not self.scenario or any(is_of(row.scenario, each) for each in self.scenario))
            and _is_among(row.target, self.target)
            and _is_among(row.condition, self.condition)
            and _is_among(row.intent, self.intent)
            and _is_among(row.query_id, self.query)
            and all(row.labels.get(name) == value for name, value in self.labels.items())
        )

    @property
    def words(self) -> tuple[str, ...]:
        """The words that a case must have, in lower case."""
        return tuple(self.text.lower().split())

    def finds(self, case: Case) -> bool:
        """Return whether a case has all words that are looked for."""
        words = self.words
        if not words:
            return True
        text = searched_text(case)
        return all(word in text for word in words)


def _is_among(value: str, wanted: Iterable[str]) -> bool:
    return not wanted or value in wanted


def is_of(scenario: str, wanted: str) -> bool:
    """Return whether a scenario's id, or the part behind its category, begins like this."""
    return scenario.startswith(wanted) or scenario.partition(".")[2].startswith(wanted)


def searched_text(case: Case) -> str:
    """Return all words of a case that are searched, in lower case."""
    return "\n".join(_words(case)).lower()


def _words(case: Case) -> Iterator[str]:
    query, response = case.query, case.response
    yield from words_of(query)
    if query.underlying_request is not None:
        yield query.underlying_request
    if case.transcript is not None:
        yield case.transcript.text
    yield from words_in(response.turns)
    yield response.text
