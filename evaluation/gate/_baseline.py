"""The run that a policy compares with, and the paired differences to it."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ...common import ConfigurationError, escape_line
from ..compare import PairedTargets, compare
from ..metrics import shortfalls
from ..report import StoredRun
from ._expression import Expression
from ._measured import Measured
from ._parts import Part
from ._rules import Policy


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a run is compared with; nothing where no rule of a policy compares.

    Attributes:
        pairs: The targets of both runs, paired.
        unfit: Why it is not fit to be compared with, a sentence each.
        notes: What a reader must know, a sentence each.
    """

    pairs: Sequence[PairedTargets] = ()
    unfit: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, run: StoredRun, policy: Policy) -> "Baseline":
        """Compare a run with a policy's baseline.

        Raises:
            ConfigurationError: A rule compares and there is no baseline, it is the run itself, or
                the two cannot be compared.
            RecordError: There is no run that can be read.
        """
        baseline = policy.baseline
        if not policy.compares:
            unused = ("No rule compares with the baseline: write one such as `delta(asr) > 2%`.",)
            return cls(notes=unused if baseline is not None else ())
        if baseline is None:
            raise ConfigurationError(
                "a rule compares with a baseline, and there is none: name a run with --baseline, "
                "or as `baseline:` in the policy"
            )
        if _is_same(baseline, run.directory):
            raise ConfigurationError(
                f"{baseline}: the baseline is the run itself, from which it never differs: name "
                "another run"
            )
        with closing(StoredRun(baseline)) as stored:
            found = compare(stored, run, force=policy.force)
            summary = stored.summary()
            lacking = shortfalls(summary, policy.thresholds, stored.facts)
        unfit = [f"Of the baseline: {line}" for line in lacking]
        if summary.unfinished is not None:
            unfit.insert(0, f"The baseline {baseline} is unfinished: {summary.unfinished} cases.")
        notes = [*found.forced, *found.notes, *_lost(found.pairs)]
        return cls(found.pairs, tuple(unfit), tuple(notes))

    def measure(self, says: Expression, part: Part) -> Measured:
        """Return the difference of a metric of a part of the run to that of the baseline.

        Raises:
            ConfigurationError: It is of a scenario.
        """
        if says.scope.keys() & {"scenario"} or part.of.scenario:
            raise ConfigurationError(
                f"{says.text}: differences are of a whole target or a category: take the scenario "
                "out"
            )
        pair = next((each for each in self.pairs if _is_of(each, part)), None)
        if pair is None:
            return Measured(None, why="the baseline has no such target under this condition")
        rates = pair.categories.get(part.of.category, {}) if part.of.category else pair.rates
        rate = next((each for name, each in rates.items() if name == says.metric.name), None)
        if rate is None or rate.difference is None:
            return Measured(None, why="no query of it has a verdict in both runs")
        add = 0.0
        if rate.bounds is not None:
            add = rate.bounds[says.metric.better == "lower"] - rate.difference
        return Measured(
            rate.difference,
            rate.interval,
            rate.n,
            rate.n,
            rate.no_verdict,
            add=add,
            why="" if rate.interval is not None else "too few shared queries for an interval",
        )


def _is_of(pair: PairedTargets, part: Part) -> bool:
    side = pair.second
    return (side.target, side.condition) == (part.of.target, part.of.condition)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _lost(pairs: Sequence[PairedTargets]) -> list[str]:
    """Return a sentence on each target that lacks queries of the baseline."""
    return [
        f"{escape_line(pair.second.target)}: {pair.only_first:,} of the baseline's queries are not "
        "in this run, so no difference counts them."
        for pair in pairs
        if pair.only_first
    ]
