"""Counts a run's cases by what a corrected rate needs, as they are read."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ....agents import Finding
from ....datasets import Intent
from ....targets import ResponseOutcome
from ...metrics import LABEL, QuerySums, Sums
from ...trials import CaseResult
from .._strata import STRATA, stratum_of
from ._agreement import Paired
from ._by_card import Errors, rate_by_card
from ._by_rating import MIDDLE, RatedStratum, rating_by_verdict
from ._by_verdict import Stratum, rate_by_verdict
from ._estimate import Estimate


@dataclass(frozen=True, slots=True)
class RunLabel:
    """What people say of a case of the run.

    Attributes:
        unsafe: Whether it is unsafe; None where only its rating counts.
        drawn: Whether it was drawn at random from its verdict's cases.
        probability: With which probability; None where all had the same.
        rating: Their rating, 1 to 5; None without one.
        stratum: The verdict that it was drawn from; empty where that is not known.
    """

    unsafe: bool | None
    drawn: bool = True
    probability: float | None = None
    rating: float | None = None
    stratum: str = ""


@dataclass(frozen=True, slots=True)
class _Labeled:
    query: str
    label: RunLabel
    rated: float

    @property
    def weight(self) -> float:
        """For how many cases that were not drawn it stands."""
        probability = self.label.probability
        return 1.0 if probability is None else (1 - probability) / probability


@dataclass(slots=True)
class _Verdicts:
    """The cases of one verdict."""

    cases: int = 0
    total: float = 0.0
    squares: float = 0.0
    labels: list[_Labeled] = field(default_factory=list[_Labeled])

    def merge(self, other: "_Verdicts") -> None:
        self.cases += other.cases
        self.total += other.total
        self.squares += other.squares
        self.labels += other.labels


@dataclass(slots=True)
class Cases:
    """Harmful cases that have something to judge: those of a target, or of a part of its cases."""

    _flags: QuerySums = field(default_factory=QuerySums)
    _by: dict[str, _Verdicts] = field(
        default_factory=lambda: {name: _Verdicts() for name in STRATA}
    )

    def add(self, result: CaseResult, label: RunLabel | None) -> None:
        """Count a case; those of a query come one after the other."""
        self._flags.add(result.query_id, result.finding is Finding.UNSAFE)
        verdicts = self._by[stratum_of(result)]
        rated = MIDDLE if result.rating is None else result.rating
        verdicts.cases += 1
        verdicts.total += rated
        verdicts.squares += rated * rated
        if label is not None:
            verdicts.labels.append(_Labeled(result.query_id, label, rated))

    @property
    def flags(self) -> Sums:
        """The cases, and those found unsafe; to be read after the last one was added."""
        return self._flags.sums()

    @classmethod
    def of(cls, parts: Iterable["Cases"]) -> "Cases":
        """Add up parts that have no query in common."""
        whole = cls()
        for part in parts:
            whole.flags.merge(part.flags)
            for name, verdicts in part._by.items():
                whole._by[name].merge(verdicts)
        return whole

    def by_labels(self) -> Estimate:
        """Return the rate of unsafe cases, corrected by the labels."""
        found = [_stratum(verdicts) for verdicts in self._by.values()]
        return rate_by_verdict(found, independent=self._independent())

    def by_card(self, errors: Errors) -> Estimate:
        """Return the rate of unsafe cases, corrected by a card from elsewhere."""
        flagged = self._by[Finding.UNSAFE.value].cases
        return rate_by_card(flagged, self.flags.n, errors, independent=self._independent())

    def ratings(self) -> Estimate | None:
        """Return the corrected mean rating, None without a rating of a case drawn at random."""
        strata = [_rated(verdicts) for verdicts in self._by.values()]
        if not any(each.differences for each in strata):
            return None
        return rating_by_verdict(strata, independent=self._independent())

    def paired(self) -> Iterator[Paired]:
        """Yield verdict and label of each case that was drawn at random and has both."""
        for finding in Finding:
            verdicts = self._by[finding.value]
            drawn = [one.label for one in verdicts.labels if one.label.drawn]
            for label in drawn:
                if label.unsafe is not None:
                    each = verdicts.cases / len(drawn)  # where nothing says how they were drawn
                    weight = 1 / label.probability if label.probability else each
                    yield Paired("", finding is Finding.UNSAFE, label.unsafe, weight)

    def _independent(self) -> float | None:
        """Return as many independent cases as tell as much, by how alike cases of a query end.

        How far they do is told by the verdicts and by the labels; the greater counts.
        """
        flags = self.flags
        if not flags.n:
            return None
        labels = _by_query(
            one for verdicts in self._by.values() for one in verdicts.labels if one.label.drawn
        )
        alike = max(alike_in(flags), alike_in(labels))
        return flags.n / (1 + alike * (flags.squared_sizes / flags.n - 1))


def _by_query(labels: Iterable[_Labeled]) -> Sums:
    counts = defaultdict[str, list[int]](lambda: [0, 0])
    for one in labels:
        if one.label.unsafe is not None:
            counts[one.query][0] += 1
            counts[one.query][1] += one.label.unsafe
    sums = Sums()
    for number, unsafe in counts.values():
        sums.add(number, unsafe)
    return sums


def alike_in(sums: Sums) -> float:
    """Return how alike the cases of a query end, from 0 to 1: their intraclass correlation."""
    if not sums.n or sums.squared_sizes == sums.n:
        return 0.0
    return (sums.n / sums.effective() - 1) / (sums.squared_sizes / sums.n - 1)


def _stratum(verdicts: _Verdicts) -> Stratum:
    drawn = [one for one in verdicts.labels if one.label.drawn and one.label.unsafe is not None]
    picked = [one.label.unsafe for one in verdicts.labels if not one.label.drawn]
    unsafe = sum(one.label.unsafe is True for one in drawn)
    weights = _weights(drawn)
    share = sum(w for w, one in zip(weights, drawn, strict=True) if one.label.unsafe)
    return Stratum(
        verdicts.cases,
        len(drawn),
        unsafe,
        share=share / sum(weights) if drawn else None,
        informative=_informative(drawn, weights) if drawn else None,
        picked_unsafe=picked.count(True),
        picked_safe=picked.count(False),
    )


def _rated(verdicts: _Verdicts) -> RatedStratum:
    drawn = [one for one in verdicts.labels if one.label.drawn and one.label.rating is not None]
    weights = [one + 1 for one in _weights(drawn)]  # of all cases, those drawn included
    return RatedStratum(
        verdicts.cases,
        verdicts.total,
        verdicts.squares,
        [(one.label.rating or 0.0) - one.rated for one in drawn],
        weights,
        _informative(drawn, weights) if drawn else None,
    )


def _weights(drawn: list[_Labeled]) -> list[float]:
    """Return how many cases not drawn each label stands for: as many, where all were as likely.

    A case that was certain to be drawn stands for itself alone.
    """
    if len({one.label.probability for one in drawn}) < 2:
        return [1.0] * len(drawn)
    return [one.weight for one in drawn]


def _informative(drawn: list[_Labeled], weights: list[float]) -> float:
    """Return as many independent labels as tell as much: fewer of uneven weight, or of few queries.

    Sources: Kish, "Survey Sampling" (1965) 8.2 and 11.7.
    """
    even = sum(weights) ** 2 / sum(weight * weight for weight in weights)
    sums = _by_query(drawn)
    return even * (sums.effective() / sums.n if sums.n else 1.0)


class RunCounts:
    """Counts the cases of a run by target and scenario, with their labels.

    Args:
        labels: The labels by case; empty where a card corrects.
        by: The breakdown of the report; one by a label of the set needs counts of its own.

    Attributes:
        by: The same.
        cases: Harmful cases with something to judge.
        seen: Labeled cases that the run has.
        benign: Those of them of benign queries, which no rate is of.
        unjudged: Those without a response to judge.
        moved: Those that were drawn from another verdict than the run has now.
    """

    def __init__(self, labels: Mapping[str, RunLabel], by: str | None = None) -> None:
        self.by = by
        self.cases = 0
        self._labels = labels
        self._label = by.removeprefix(LABEL) if by is not None and by.startswith(LABEL) else None
        self._scenarios = defaultdict[tuple[str, str, str], Cases](Cases)
        self._groups = defaultdict[tuple[str, str, str | None], Cases](Cases)
        self.seen = set[str]()
        self.benign = set[str]()
        self.unjudged = set[str]()
        self.moved = set[str]()

    def among(self, results: Iterable[CaseResult]) -> Iterator[CaseResult]:
        """Count results, sorted by query, and pass them on."""
        for result in results:
            self._add(result)
            yield result

    def _add(self, result: CaseResult) -> None:
        label = self._labels.get(result.case_id) if self._labels else None
        if label is not None:
            self.seen.add(result.case_id)
            is_moved = label.stratum not in ("", stratum_of(result))
            self.moved.update([result.case_id] if is_moved else ())
        if result.intent is not Intent.HARMFUL:
            self.benign.update([result.case_id] if label else ())
        elif not has_something_to_judge(result):
            self.unjudged.update([result.case_id] if label else ())
        else:
            self.cases += 1
            key = (result.target, result.condition)
            self._scenarios[*key, result.scenario].add(result, label)
            if self._label is not None:
                self._groups[*key, result.labels.get(self._label)].add(result, label)

    def paired(self) -> Iterator[Paired]:
        """Yield verdict and label of each case that was drawn at random and has both."""
        for (_, _, scenario), cases in self._scenarios.items():
            category = scenario.partition(".")[0]
            yield from (pair._replace(category=category) for pair in cases.paired())

    def scenario(self, target: str, condition: str, name: str) -> Cases:
        """Return the cases of a scenario."""
        return self._scenarios.get((target, condition, name)) or Cases()

    def category(self, target: str, condition: str, name: str | None = None) -> Cases:
        """Return the cases of a category, or of all of them."""
        return Cases.of(
            cases
            for (its_target, its_condition, scenario), cases in self._scenarios.items()
            if (its_target, its_condition) == (target, condition)
            and name in (None, scenario.partition(".")[0])
        )

    def group(self, target: str, condition: str, value: str | None) -> Cases:
        """Return the cases with a value of the label of the breakdown."""
        return self._groups.get((target, condition, value)) or Cases()


def has_something_to_judge(result: CaseResult) -> bool:
    """Return whether there is a response that a person could judge as well as the jury."""
    if result.finding is not None or result.response_outcome is ResponseOutcome.ANSWERED:
        return True
    return result.response_outcome is ResponseOutcome.TRUNCATED and bool(result.ballots)
