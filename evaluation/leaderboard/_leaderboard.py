"""The leaderboard of one or several runs of one jury, as plain data."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from ...common import ConfigurationError
from ...common.text import did_you_mean, many, natural_order, quoted
from ...deliberation import JuryCard, SeatInfo
from ...models import EMBEDDED_WARNING
from ..metrics import TargetSummary
from ..report import Correction, StoredRun
from ..trials import TargetFacts
from ._jurors import CallTimes, JurorTally, JurorVotes, Latency
from ._known_models import facts_of, published_name
from ._one_jury import check_one_jury

_LIKE = {
    "their questions": ("dataset.sha256", "scenarios", "limit"),
    "the cap on tokens of a response": ("run.max_tokens", "run.truncated"),
}
"""What should be alike in the identities of runs whose targets are compared, in words."""


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
        published: Its row in the table of the SafeBench paper; None where it has none.
    """

    name: str
    run: str
    summary: TargetSummary
    facts: TargetFacts = TargetFacts()
    published: str | None = None


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """The targets of one or several runs of one jury.

    Attributes:
        rows: The targets, the lowest attack success rate first, those without verdicts last.
        runs: The runs, in the order given.
        jury: The seats of the jury.
        protocol: The protocol that decided, and the name of a custom rubric.
        card: The jury card that goes with the jury; None without one.
        votes: How the jurors voted before any talk.
        times: How long calls took.
        notes: What a reader must know first, a sentence each.
    """

    rows: tuple[LeaderboardRow, ...]
    runs: tuple[LeaderboardRun, ...]
    jury: tuple[SeatInfo, ...]
    protocol: str
    card: JuryCard | None = None
    votes: JurorVotes = JurorVotes()
    times: CallTimes = CallTimes()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        runs: Sequence[StoredRun],
        correction: Correction | None = None,
        *,
        jurors: bool = True,
    ) -> "Leaderboard":
        """Return the leaderboard of some runs.

        Args:
            runs: One or more runs of one jury and protocol.
            correction: By what to correct the rates, None for nothing.
            jurors: Whether to read all ballots, for `votes` and `times`.

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
        tally = JurorTally([seat.seat for seat in first.jury])
        for name, run in zip(names, runs, strict=True):
            summary = run.summary(correction=correction)
            shown.append(LeaderboardRun(name, run.directory, summary.finished, summary.planned))
            rows += (
                LeaderboardRow(
                    each.name,
                    name,
                    each,
                    facts_of(run.meta, each.target),
                    published_name(run.meta, each.target),
                )
                for each in summary.targets
            )
            if jurors:
                tally.read(run, name)
        return cls(
            tuple(sorted(_told_apart(rows), key=_place)),
            tuple(shown),
            first.jury,
            first.protocol_label,
            first.card if correction is None or correction.card is None else correction.card,
            tally.votes(),
            tally.times(),
            tuple(_notes(runs, names)),
        )

    def response_times(self, row: LeaderboardRow) -> Latency | None:
        """Return how long responses of a row's target took, None where that is not known."""
        return self.times.responses.get((row.run, row.summary.target, row.summary.condition))

    def only(self, wanted: Sequence[str]) -> "Leaderboard":
        """Return the same with some of the targets alone.

        Args:
            wanted: Their names: those of rows, or of targets under all conditions and in all
                runs.

        Raises:
            ConfigurationError: There is no target of one of the names.
        """
        known = {name for row in self.rows for name in (row.name, row.summary.target)}
        for name in wanted:
            if name not in known:
                shown = ", ".join(dict.fromkeys(row.summary.target for row in self.rows))
                raise ConfigurationError(
                    f"there is no target {quoted(name)}{did_you_mean(name, known)}: the targets "
                    f"are {shown}"
                )
        rows = (row for row in self.rows if {row.name, row.summary.target} & {*wanted})
        return replace(self, rows=tuple(rows))


def _notes(runs: Sequence[StoredRun], names: Sequence[str]) -> Iterator[str]:
    """Yield what a reader must know of the runs as a whole, a sentence each."""
    yield from dict.fromkeys(note for run in runs for note in run.notes_on_correction)
    for name, run in zip(names, runs, strict=True):
        if run.uses_embedded:
            yield f"{name}: {EMBEDDED_WARNING}"
        done, planned = run.reader.counts()[0], run.plan.total
        if done < planned:
            yield f"{name} is not finished: {done:,} of {many(planned, 'case')}."
    for what, keys in _LIKE.items():
        said = [[_at(run.meta.identity, key) for key in keys] for run in runs]
        if any(each != said[0] for each in said):
            yield (
                f"The runs differ in {what}, so that rates of targets of different runs do not "
                "compare like for like."
            )


def _at(identity: Mapping[str, Any], key: str) -> object:
    """Return a part of an identity by its path, None where it is not said."""
    found: Any = identity
    for step in key.split("."):
        found = cast("dict[str, Any]", found).get(step) if isinstance(found, dict) else None
    return found


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
        row if times[row.name] == 1 else replace(row, name=f"{row.name} ({row.run})")
        for row in rows
    ]


def _place(row: LeaderboardRow) -> tuple[bool, float, float, object]:
    asr, sri = row.summary.asr.micro, row.summary.sri.micro
    return asr is None, asr or 0.0, -(sri or 0.0), natural_order(row.name)
