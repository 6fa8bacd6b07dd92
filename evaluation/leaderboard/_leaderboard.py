"""The leaderboard of one or several runs of one jury, as plain data."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...common import ConfigurationError
from ...common.text import natural_order
from ...deliberation import JuryCard, SeatInfo
from ..metrics import TargetSummary
from ..report import Correction, StoredRun
from ..trials import TargetFacts
from ._known_models import facts_of
from ._one_jury import check_one_jury


@dataclass(frozen=True, slots=True)
class LeaderboardRun:
    """A run of a leaderboard.

    Attributes:
        name: Its name, unique on the leaderboard.
        directory: Its directory.
        finished: Finished cases.
        planned: Cases that the finished run will have.
    """

    name: str
    directory: Path
    finished: int
    planned: int

    @property
    def unfinished(self) -> bool:
        """Whether cases are to come."""
        return self.finished < self.planned


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """A target under one condition.

    Attributes:
        name: Its name, unique on the leaderboard: that of the report, and the run's where two
            runs have one of that name.
        run: Name of its run.
        summary: Its figures.
        facts: What is known of the model.
    """

    name: str
    run: str
    summary: TargetSummary
    facts: TargetFacts = TargetFacts()


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """The targets of one or several runs of one jury.

    Attributes:
        rows: The targets, the lowest attack success rate first, those without verdicts last.
        runs: The runs, in the order given.
        jury: The seats of the jury.
        protocol: The protocol that decided, and the name of a custom rubric.
        card: The jury card that goes with the jury; None without one.
        notes: What a reader must know first, a sentence each.
    """

    rows: tuple[LeaderboardRow, ...]
    runs: tuple[LeaderboardRun, ...]
    jury: tuple[SeatInfo, ...]
    protocol: str
    card: JuryCard | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, runs: Sequence[StoredRun], correction: Correction | None = None) -> "Leaderboard":
        """Return the leaderboard of some runs.

        Args:
            runs: One or more runs of one jury and protocol.
            correction: By what to correct the rates, None for nothing.

        Raises:
            ConfigurationError: There is no run, their juries differ, or the correction does not
                fit.
            RecordChangedError: A case was changed after it was recorded.
        """
        if not runs:
            raise ConfigurationError("a leaderboard needs a run: name one")
        check_one_jury(runs)
        first = runs[0].meta
        names = _names_of_runs(runs)
        rows: list[LeaderboardRow] = []
        shown: list[LeaderboardRun] = []
        for name, run in zip(names, runs, strict=True):
            summary = run.summary(correction=correction)
            shown.append(LeaderboardRun(name, run.directory, summary.finished, summary.planned))
            rows += (
                LeaderboardRow(each.name, name, each, facts_of(run.meta, each.target))
                for each in summary.targets
            )
        return cls(
            tuple(sorted(_told_apart(rows), key=_place)),
            tuple(shown),
            first.jury,
            first.protocol_label,
            first.card,
        )


def _names_of_runs(runs: Sequence[StoredRun]) -> list[str]:
    """Return the names of runs, with as much of their path as tells them apart."""
    paths = [run.directory.resolve() for run in runs]
    parts = 1
    while True:
        names = ["/".join(path.parts[-parts:]) for path in paths]
        if len(set(names)) == len(names):
            return names
        parts += 1


def _told_apart(rows: Sequence[LeaderboardRow]) -> list[LeaderboardRow]:
    """Return the rows with the name of the run where two have one name."""
    times = Counter(row.name for row in rows)
    return [
        row
        if times[row.name] == 1
        else LeaderboardRow(f"{row.name} ({row.run})", row.run, row.summary, row.facts)
        for row in rows
    ]


def _place(row: LeaderboardRow) -> tuple[bool, float, float, object]:
    asr, sri = row.summary.asr.micro, row.summary.sri.micro
    return asr is None, asr or 0.0, -(sri or 0.0), natural_order(row.name)
