"""Labels: what people say of cases."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import fmean

from ....agents import Finding
from ....common import ConfigurationError
from ....common.text import quoted
from ....datasets.tables import as_list
from .._strata import STRATA
from ._recorded import recorded
from ._rows import Row, described, is_empty, read_rows
from ._words import Words, as_word, undeclared

CASE_COLUMNS = ("case", "case_id", "item_id")
"""Columns that may hold the id of a case."""
_LOW, _HIGH = 1, 5
_MAJORITY, _EACH = "human_majority", "human_labels"
CHOSEN = ("random", "contested", "low_margin")
"""Why a case was picked for review."""


@dataclass(frozen=True, slots=True)
class CaseLabel:
    """What people say of one case.

    Attributes:
        unsafe: Whether most of them call it unsafe; None where they are split evenly.
        by: What each says, by annotator: whether it is unsafe. One without a name is `""`.
        stratum: The verdict's stratum from which it was drawn for review, empty if it was not.
        probability: Probability in (0, 1] with which it came into the random part of a review.
        chosen: Why it was picked for review, empty if it was not; see `CHOSEN`.
        rating: Mean of their ratings, 1 to 5; None where nobody rated it.
    """

    unsafe: bool | None
    by: Mapping[str, bool] = field(default_factory=dict[str, bool])
    stratum: str = ""
    probability: float | None = None
    chosen: str = ""
    rating: float | None = None

    @property
    def weight(self) -> float:
        """How many cases it stands for: one over its probability."""
        return 1 / (self.probability or 1.0)


@dataclass(frozen=True)
class LabelSet:
    """The labels of many cases.

    Attributes:
        source: Where they were read from, for messages.
        cases: By case, in the order of the file.
        blank: Rows in which no label was filled in.
    """

    source: str
    cases: Mapping[str, CaseLabel]
    blank: int = 0

    @cached_property
    def unsafe(self) -> Mapping[str, bool]:
        """Whether a case is unsafe, for those on which people are not split evenly."""
        return {name: one.unsafe for name, one in self.cases.items() if one.unsafe is not None}

    @cached_property
    def is_sampled(self) -> bool:
        """Whether a review drew some of the cases at random, each with its probability."""
        return any(one.probability is not None for one in self.cases.values())

    @cached_property
    def counted(self) -> Mapping[str, CaseLabel]:
        """The cases by which a jury is measured.

        Where a review drew some at random, only those: others were picked because jurors differ,
        and would make any jury look worse than it is.
        """
        if not self.is_sampled:
            return self.cases
        return {name: one for name, one in self.cases.items() if one.probability is not None}

    @property
    def tied(self) -> tuple[str, ...]:
        """The cases on which people are split evenly: they count as unlabeled."""
        return tuple(name for name, one in self.cases.items() if one.unsafe is None)

    @cached_property
    def annotators(self) -> tuple[str, ...]:
        """The names of those who labeled, in order of appearance."""
        return tuple(dict.fromkeys(who for one in self.cases.values() for who in one.by))


def read_labels(path: Path, *, words: Words | None = None) -> LabelSet:
    """Read a file of labels: JSONL, JSON or CSV.

    Args:
        path: The file.
        words: The words for unsafe and safe; `unsafe` and `safe` alone unless given.

    Raises:
        ConfigurationError: It cannot be read, has no labels, has words that are not declared, or
            an annotator gives one case two labels.
    """
    reading = _Reading(str(path), words or Words())
    for row in read_rows(path, "labels"):
        reading.add(row)
    return reading.done()


def labels_of(given: Mapping[str, object], *, words: Words | None = None) -> LabelSet:
    """Return labels that are given by case.

    Raises:
        ConfigurationError: There are none, or a word is not declared.
    """
    known, unknown = words or Words(), Counter[str]()
    cases: dict[str, CaseLabel] = {}
    for case, value in given.items():
        finding = known.find(value)
        if finding is None:
            unknown[_word_or_error(value, f"the label of {quoted(case)}")] += 1
        else:
            is_unsafe = finding is Finding.UNSAFE
            cases[case] = CaseLabel(is_unsafe, {"": is_unsafe})
    if unknown:
        raise undeclared("labels", unknown)
    if not cases:
        raise ConfigurationError("labels: there are none")
    return LabelSet("labels", cases)


def _word_or_error(value: object, what: str) -> str:
    try:
        return as_word(value)
    except ValueError as error:
        raise ConfigurationError(f"{what} is {error}: give unsafe or safe") from None


@dataclass(slots=True)
class _Case:
    by: dict[str, bool] = field(default_factory=dict[str, bool])
    majority: bool | None = None
    sampled: tuple[str, float | None, str] | None = None
    ratings: dict[str, float] = field(default_factory=dict[str, float])

    def label(self) -> CaseLabel:
        unsafe = self.majority
        if unsafe is None:
            margin = sum(1 if said else -1 for said in self.by.values())
            unsafe = margin > 0 if margin else None
        stratum, probability, chosen = self.sampled or ("", None, "")
        rating = fmean(self.ratings.values()) if self.ratings else None
        return CaseLabel(unsafe, self.by, stratum, probability, chosen, rating)


class _Reading:
    """Gathers the rows of a file of labels."""

    def __init__(self, source: str, words: Words) -> None:
        self._source, self._words = source, words
        self._cases: dict[str, _Case] = {}
        self._unknown = Counter[str]()
        self._blank = 0

    def add(self, row: Row) -> None:
        name = row.id(CASE_COLUMNS, "the case")
        if "label" in row.values:
            self._add_label(row, name, row.values["label"])
        elif _MAJORITY in row.values or _EACH in row.values:
            self._add_recorded(row, name)
        else:
            raise row.wrong(
                f"the column 'label' is missing ({row.columns_found}): rename the column that "
                "holds the labels"
            )

    def done(self) -> LabelSet:
        if self._unknown:
            raise undeclared(f"{self._source}: the column 'label'", self._unknown)
        if not self._cases:
            raise ConfigurationError(f"{self._source}: no row has a label")
        cases = {name: case.label() for name, case in self._cases.items()}
        return LabelSet(self._source, cases, self._blank)

    def _add_label(self, row: Row, name: str, value: object) -> None:
        if is_empty(value):
            self._blank += 1
            return
        finding = self._words.find(value)
        if finding is None:
            try:
                self._unknown[as_word(value)] += 1
            except ValueError as error:
                raise row.wrong(f"the label is {error}, not a word") from None
            return
        case = self._cases.setdefault(name, _Case())
        who = row.text("annotator")
        self._say(row, name, case, who, finding)
        if (rating := _rating(row)) is not None and case.ratings.setdefault(who, rating) != rating:
            raise row.wrong(f"{quoted(name)} is rated twice, and differently: keep one rating")
        sampled = _sampled(row)
        if sampled is not None and case.sampled not in (None, sampled):
            raise row.wrong(
                f"{quoted(name)} has another stratum, probability or chosen in a row before: "
                "a case is drawn once"
            )
        case.sampled = sampled or case.sampled

    def _say(self, row: Row, name: str, case: _Case, who: str, finding: Finding) -> None:
        unsafe = finding is Finding.UNSAFE
        if case.by.setdefault(who, unsafe) is not unsafe:
            if who:
                raise row.wrong(
                    f"{quoted(who)} labels {quoted(name)} as unsafe and as safe: keep one label"
                )
            raise row.wrong(
                f"{quoted(name)} is labeled as unsafe and as safe: keep one label, or say who "
                "labeled in the column 'annotator'"
            )

    def _add_recorded(self, row: Row, name: str) -> None:
        majority = row.values.get(_MAJORITY)
        listed = as_list(row.values.get(_EACH))
        said = {
            str(number): found is Finding.UNSAFE
            for number, value in enumerate(listed, 1)
            if (found := recorded(row, value, _EACH)) is not None
        }
        decided = recorded(row, majority, _MAJORITY)
        if decided is None and not said:
            self._blank += 1
            return
        unsafe = None if decided is None else decided is Finding.UNSAFE
        new = _Case(said or {"": unsafe is True}, unsafe)
        if (kept := self._cases.setdefault(name, new)) is not new and kept != new:
            raise row.wrong(f"{quoted(name)} has other labels in a row before: keep one row")


def _sampled(row: Row) -> tuple[str, float | None, str] | None:
    """Return stratum, probability and reason of a case that was picked for review."""
    chosen = row.text("chosen")
    if not chosen:
        probability = _probability(row)
        return None if probability is None else ("", probability, CHOSEN[0])
    stratum = row.text("stratum")
    for word, known, column in ((chosen, CHOSEN, "chosen"), (stratum, STRATA, "stratum")):
        if word not in known:
            raise row.wrong(
                f"{column} must be {', '.join(known[:-1])} or {known[-1]}, not {quoted(word)}"
            )
    return stratum, _probability(row), chosen


def _rating(row: Row) -> float | None:
    rating = row.number("rating")
    if rating is not None and not _LOW <= rating <= _HIGH:
        found = described(row.values["rating"])
        raise row.wrong(f"rating must be from 1 (unsafe) to 5 (safe), not {found}")
    return rating


def _probability(row: Row) -> float | None:
    probability = row.number("probability")
    if probability is not None and not 0 < probability <= 1:
        raise row.wrong(
            "probability must be over 0 and at most 1, as safejury review writes it, not "
            f"{described(row.values['probability'])}"
        )
    return probability
