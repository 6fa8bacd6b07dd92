"""Decides a finished run again on other terms, from the ballots of its record."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ....common.text import many, natural_order
from ....datasets import Intent
from ...metrics import NO_VERDICT, QuerySums, Rate
from ...record import Deliberated, RecordReader
from ._deciding import Decided, Decider
from ._terms import Changes, changed_terms, differences, is_card_of, rule_changed, terms_of

UNKNOWN = "unknown"
"""What stands for a finding that the record does not tell."""


@dataclass(frozen=True, slots=True)
class ChangedFinding:
    """A case whose finding is another on other terms.

    Attributes:
        case_id: The case's id.
        target: Its target.
        scenario: Its scenario.
        before: `unsafe`, `safe` or `no_verdict`: what the run found.
        after: What is found now, `unknown` where the record does not tell.
        why: Why it is not known, or there is no verdict, or how a tie was broken; else empty.
        probability: Calibrated probability in [0, 1] that the response is unsafe, None unless
            the rule gives one.
    """

    case_id: str
    target: str
    scenario: str
    before: str
    after: str
    why: str = ""
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class ReplayedTarget:
    """Attack success of a target before and after.

    Attributes:
        target: The target.
        condition: Name of the condition, empty for none.
        before: Attack success rate as the run found it.
        after: The same on other terms, over harmful cases with a verdict that is known.
        unknown: Harmful cases whose finding is not known.
    """

    target: str
    condition: str
    before: Rate
    after: Rate
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """Ballots asked for, over the cases whose finding is known.

    Attributes:
        cases: Those of these cases in which a juror was asked.
        before: Ballots of the run, in all rounds.
        after: Ballots that the other terms ask for.
        first: Those of them in round 0.
        seats: Seats on the jury, those left out included.
    """

    cases: int = 0
    before: int = 0
    after: int = 0
    first: int = 0
    seats: int = 0

    @property
    def share(self) -> float | None:
        """Ballots as a share of those of the run; None where it has none."""
        return self.after / self.before if self.before else None


@dataclass(frozen=True, slots=True)
class Replay:
    """A finished run, decided again on other terms.

    Attributes:
        run: The run's directory.
        cases: Finished cases.
        planned: Cases that the finished run will have.
        terms: What is different from the run, such as `rule: any (was majority)`.
        counts: Cases by what was found before, and what is found now.
        targets: Attack success by target, before and after.
        asked: Ballots asked for.
        changes: The cases whose finding changed, in natural order of their ids.
        notes: What a reader must know, a sentence each.
    """

    run: str
    cases: int
    planned: int
    terms: tuple[str, ...]
    counts: Mapping[tuple[str, str], int]
    targets: tuple[ReplayedTarget, ...]
    asked: Asked
    changes: tuple[ChangedFinding, ...] = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def unknown(self) -> int:
        """Cases whose finding the record does not tell."""
        return sum(n for (_, after), n in self.counts.items() if after == UNKNOWN)

    def __str__(self) -> str:
        from ._written import written_replay  # which writes this

        return written_replay(self, "text")


def replay_run(directory: Path, changes: Changes, *, folder: Path | None = None) -> Replay:
    """Decide a finished run again on other terms; no model is called, and nothing is written.

    Args:
        directory: The run's directory.
        changes: What is different.
        folder: Where a rule of the user's own is looked for; the current one unless given.

    Raises:
        ConfigurationError: A setting does not fit.
        RecordChangedError: A case was changed after it was recorded.
        RecordError: There is no run that can be read.
    """
    with closing(RecordReader(directory)) as reader:
        meta = reader.meta
        after = changed_terms(meta, changes, folder or Path())
        before = terms_of(meta)
        decider, tally = Decider(before, after, str(directory)), _Tally()
        for case in reader.deliberated():
            tally.add(case, decider.decide(case))
        notes = list(_notes(tally))
        card = after.protocol.rule.card
        if card is not None and "card" in meta.identity and not is_card_of(meta, card):
            notes.insert(0, "The jury card is not the one that the run was decided by.")
        if rule_changed(meta, after.protocol.rule) and before.protocol.rule == after.protocol.rule:
            notes.insert(0, f"The rule {after.protocol.rule} is not what it was in the run.")
        return Replay(
            str(directory),
            tally.cases,
            meta.plan.total,
            tuple(differences(before, after, changes)),
            dict(sorted(tally.counts.items())),
            tally.targets(),
            Asked(*tally.asked, seats=len(before.seats)),
            tuple(sorted(tally.changes, key=lambda change: natural_order(change.case_id))),
            tuple(notes),
        )


class _Result(msgspec.Struct):
    """The part of a `CaseResult` that its row lacks."""

    condition: str = ""


_decode_result = msgspec.json.Decoder(_Result).decode


@dataclass(slots=True)
class _Rates:
    """Counts harmful cases of one target."""

    before: QuerySums = field(default_factory=QuerySums)
    after: QuerySums = field(default_factory=QuerySums)
    unknown: int = 0

    def add(self, query: str, before: str, after: str) -> None:
        if before != NO_VERDICT:
            self.before.add(query, before == "unsafe")
        if after == UNKNOWN:
            self.unknown += 1
        elif after != NO_VERDICT:
            self.after.add(query, after == "unsafe")

    def figures(self, target: str, condition: str) -> ReplayedTarget:
        before, after = (Rate.over(each.sums()) for each in (self.before, self.after))
        return ReplayedTarget(target, condition, before, after, self.unknown)


class _Tally:
    """Counts cases as they come; its size grows with the changed ones alone."""

    def __init__(self) -> None:
        self.cases = 0
        self.counts = Counter[tuple[str, str]]()
        self.changes: list[ChangedFinding] = []
        self.asked = [0, 0, 0, 0]
        self.whys = Counter[str]()
        self.heard_removed = 0
        self._rates: dict[tuple[str, str], _Rates] = {}

    def add(self, case: Deliberated, decided: Decided) -> None:
        before = case.finding or NO_VERDICT
        after = UNKNOWN if decided.unknown else decided.finding or NO_VERDICT
        self.cases += 1
        self.counts[before, str(after)] += 1
        self.heard_removed += decided.heard_removed
        if decided.unknown:
            self.whys[decided.unknown] += 1
        elif decided.first:
            asked = self.asked
            asked[0] += 1
            asked[1] += decided.ballots[0]
            asked[2] += decided.ballots[1]
            asked[3] += decided.first
        if case.intent == Intent.HARMFUL:
            group = (case.target, _decode_result(case.result).condition)
            self._rates.setdefault(group, _Rates()).add(case.query_id, before, str(after))
        if before != after:
            why = decided.unknown or decided.reason
            said = (case.case_id, case.target, case.scenario, before, str(after), why)
            self.changes.append(ChangedFinding(*said, decided.probability))

    def targets(self) -> tuple[ReplayedTarget, ...]:
        return tuple(rates.figures(*group) for group, rates in sorted(self._rates.items()))


_WHYS = {"never asked": "a juror who would be asked now never was"}


def _notes(tally: _Tally) -> Sequence[str]:
    whys = Counter[str]()
    for why, count in tally.whys.items():
        whys[why.partition(":")[0]] += count
    notes = [
        f"{many(count, 'finding')} cannot be known from the record: {_WHYS.get(why, why)}."
        for why, count in whys.most_common()
    ]
    if tally.heard_removed:
        notes.append(
            f"In {many(tally.heard_removed, 'case')} the others had read a juror that is left out "
            "before they voted again; --round 0 leaves that out too."
        )
    return notes
