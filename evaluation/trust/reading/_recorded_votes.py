"""Reads votes of other tools from a file."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ....agents import BallotOutcome, Finding
from ....common import ConfigurationError
from ....common.text import quoted
from ....datasets.tables import is_object
from ._labels import CASE_COLUMNS
from ._recorded import recorded
from ._rows import Row, described, is_empty, read_rows
from ._source import Source, jury_of_names
from ._table_building import NOT_ASKED, Said, TableBuilder, remaining
from ._words import Words, as_word, undeclared, word_of

GROUP_COLUMNS = ("group_id", "group", "query_id", "query")
"""Columns that may hold the group of a case."""
_TARGET_COLUMNS, _SCENARIO_COLUMNS = ("target", "target_model"), ("scenario",)
_EACH = "judge_verdicts"
_JUROR, _FINDING, _OUTCOME, _RATING = "juror", "finding", "outcome", "rating"
_NOT_ASKED = "not_asked"
_RATINGS = range(1, 6)
_NO_GROUPS = (
    "No row of {path} names a group, so each case is taken to be independent of the others: if "
    "several belong to one query, name its column with --groups."
)


@dataclass(slots=True)
class _Case:
    facts: dict[str, str]
    said: dict[str, Said] = field(default_factory=dict[str, Said])


def read_votes(
    path: Path,
    *,
    words: Words | None = None,
    groups: str | None = None,
    without: Sequence[str] = (),
) -> Source:
    """Read votes from a file: JSONL, JSON or CSV.

    A row is a ballot (`case`, `juror`, `finding` or `outcome`, and `rating`, `group`, `target`,
    `scenario` if there are), or a case with the votes of all jurors: `judge_verdicts`, which says
    1 for unsafe, 0 for safe and null for no vote.

    Args:
        path: The file.
        words: The words for unsafe and safe.
        groups: The column that says which cases belong together.
        without: Jurors to leave out.

    Raises:
        ConfigurationError: It cannot be read, has no votes, has words that are not declared, or
            a juror votes twice on a case.
    """
    reading = _Reading(path, words or Words(), groups)
    for row in read_rows(path, "ballots"):
        reading.add(row)
    return reading.done(without)


class _Reading:
    """Gathers the rows of a file of votes."""

    def __init__(self, path: Path, words: Words, groups: str | None) -> None:
        self._path, self._words, self._groups = path, words, groups
        self._cases: dict[str, _Case] = {}
        self._jurors = dict[str, None]()
        self._unknown = Counter[str]()
        self._grouped = False

    def add(self, row: Row) -> None:
        name = row.id(CASE_COLUMNS, "the case")
        case = self._case(row, name)
        for juror, said in self._ballots(row):
            self._jurors.setdefault(juror)
            if juror in case.said:
                raise row.wrong(f"{quoted(juror)} votes on {quoted(name)} twice: keep one ballot")
            case.said[juror] = said

    def done(self, without: Sequence[str]) -> Source:
        if self._unknown:
            raise undeclared(f"{self._path}: the column {_FINDING!r}", self._unknown)
        if not self._jurors:
            raise ConfigurationError(f"{self._path}: no row has a vote of a juror")
        builder = TableBuilder(remaining(self._jurors, without))
        for name, case in self._cases.items():
            facts = {**case.facts, "group": case.facts["group"] or name}
            self._grouped = self._grouped or bool(case.facts["group"])
            builder.add(name, case.said, **facts)
        notes = [] if self._grouped else [_NO_GROUPS.format(path=self._path)]
        return Source(
            str(self._path), builder.done(), jury_of_names(builder.jurors), notes=tuple(notes)
        )

    def _case(self, row: Row, name: str) -> _Case:
        """Return the case of a row, of which all rows must say the same."""
        facts = {
            "group": self._group(row),
            "target": _first(row, _TARGET_COLUMNS),
            "scenario": _first(row, _SCENARIO_COLUMNS),
        }
        case = self._cases.setdefault(name, _Case(facts))
        for what, value in facts.items():
            case.facts[what] = case.facts[what] or value
            if value not in ("", case.facts[what]):
                raise row.wrong(
                    f"{quoted(name)} has another {what} than in a row before: "
                    f"{quoted(value)}, not {quoted(case.facts[what])}"
                )
        return case

    def _group(self, row: Row) -> str:
        if self._groups is None:
            return _first(row, GROUP_COLUMNS)
        if is_empty(row.values.get(self._groups)):
            raise row.wrong(
                f"--groups names the column {quoted(self._groups)}, which says nothing here "
                f"({row.columns_found})"
            )
        return row.text(self._groups)

    def _ballots(self, row: Row) -> Iterator[tuple[str, Said]]:
        if _EACH in row.values:
            each = row.values[_EACH]
            if not is_object(each):
                raise row.wrong(f"{_EACH} must be an object by juror, not {described(each)}")
            for juror, value in each.items():
                found = recorded(row, value, f"{_EACH}: {quoted(juror)}")
                yield juror, _vote(found)
            return
        if _FINDING not in row.values and _OUTCOME not in row.values:
            raise row.wrong(
                f"the column {_FINDING!r} is missing ({row.columns_found}): rename the column "
                f"that holds the votes, or give {_EACH!r} by juror"
            )
        yield row.id((_JUROR,), "the juror"), self._said(row)

    def _said(self, row: Row) -> Said:
        """Return what the ballot of a row says."""
        finding, outcome = row.values.get(_FINDING), _outcome(row.values.get(_OUTCOME))
        if is_empty(finding):
            finding, outcome = row.values.get(_OUTCOME), None
        if is_empty(finding):
            return Said()
        if (found := self._words.find(finding)) is not None:
            if outcome not in (None, BallotOutcome.VERDICT):
                raise row.wrong(f"a ballot is {outcome}, and has a finding: take one of them out")
            return Said.of(BallotOutcome.VERDICT, found, _rating(row))
        if word_of(finding) == _NOT_ASKED:
            return NOT_ASKED
        none = _outcome(finding)
        if none is BallotOutcome.VERDICT:
            raise row.wrong("a ballot is a verdict, and has no finding")
        if none is not None:
            return Said.of(none, None, None)
        try:
            self._unknown[as_word(finding)] += 1
        except ValueError as error:
            raise row.wrong(f"the finding is {error}, not a word") from None
        return Said()


def _first(row: Row, columns: Iterable[str]) -> str:
    column = row.named(columns)
    return "" if column is None else row.text(column)


def _vote(found: Finding | None) -> Said:
    if found is None:
        return Said()
    return Said.of(BallotOutcome.VERDICT, found, None)


def _outcome(value: object) -> BallotOutcome | None:
    word = word_of(value)
    return next((outcome for outcome in BallotOutcome if outcome == word), None)


def _rating(row: Row) -> int | None:
    rating = row.number(_RATING)
    if rating is None:
        return None
    if rating not in _RATINGS:
        raise row.wrong(f"the rating must be 1 to 5, not {described(row.values[_RATING])}")
    return int(rating)
