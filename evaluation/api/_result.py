"""A run as Python sees it, finished or not: its figures and its cases."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.console import Console

from ...common import ConfigurationError, escape_line
from ...common.text import many, percent
from ...deliberation import CaseTranscript, JuryCard, as_html, as_text
from ..figures import Figures, figures_of
from ..leaderboard import Leaderboard
from ..metrics import RunSummary, TargetSummary, first_warnings
from ..report import Correction, StoredRun, health_warnings, notes_on, write_table, written_report
from ._cases import Cases, read_ballots, read_cases

if TYPE_CHECKING:
    from ..gate import GateResult


class Result:
    """A run's figures and cases, finished or not; the figures are those when it was read.

    At the end of a notebook's cell it shows what `safejury report` shows; `print` writes the
    same as plain text.

    Args:
        directory: The run's directory.
        stopped: See below.

    Attributes:
        directory: The run's directory.
        summary: The statistics, target by target.
        notes: What a reader must know first, a sentence each.
        warnings: What makes the figures doubtful, a sentence each.
        stopped: Why the budget stopped the run; None where it did not, or in a run that was
            read from its directory.

    Raises:
        RecordChangedError: The run is not as it was recorded.
        RecordError: There is no run that can be read.
    """

    def __init__(self, directory: str | Path, *, stopped: str | None = None) -> None:
        self.directory = Path(directory)
        self.stopped = stopped
        with closing(StoredRun(self.directory)) as stored:
            self.summary: RunSummary = stored.summary()
            self.notes = (*first_warnings(self.summary), *notes_on(stored))
            self.warnings = health_warnings(self.summary, facts=stored.facts)

    @property
    def name(self) -> str:
        """The run's name, which is that of its directory."""
        return self.directory.name

    @property
    def is_finished(self) -> bool:
        """Whether all planned cases are finished; else the same call goes on with them."""
        return self.summary.unfinished is None

    def cases(self, *, reveal: bool = False) -> Cases:
        """Return the finished cases as rows; see `Cases`.

        Args:
            reveal: Whether each row has its `question` and `answer`, which may be harmful.

        Raises:
            RecordChangedError: A case is not as it was recorded.
        """
        return read_cases(self.directory, reveal=reveal)

    def ballots(self, *, reveal: bool = False) -> Cases:
        """Return the jury's ballots in the finished cases, in the same form: a row each.

        Args:
            reveal: Whether each row has its `reason` and `detail`, which may be harmful.

        Raises:
            RecordChangedError: A case is not as it was recorded.
        """
        return read_ballots(self.directory, reveal=reveal)

    def transcript(self, case_id: str) -> CaseTranscript:
        """Return what was said in a case.

        Args:
            case_id: Its id, or the part of it that names just one, such as the query's.

        Raises:
            ConfigurationError: No case or more than one is meant.
        """
        with closing(StoredRun(self.directory)) as stored:
            case = stored.case(case_id)
        return CaseTranscript(tuple(case.entries), case.jury, case.target, case.protocol)

    def report(
        self,
        form: Literal["table", "md", "json", "csv"] = "table",
        *,
        by: str | None = None,
        labels: str | PathLike[str] | Mapping[str, object] | None = None,
        card: str | PathLike[str] | JuryCard | None = None,
        force_card: bool = False,
    ) -> str:
        """Return the run's report, as it is now.

        Args:
            form: How it is written.
            by: What to break it down by as well: `scenario`, `category` or `labels.NAME`.
            labels: People's labels of cases of the run, to correct its rates by: a file, or words
                by case.
            card: A jury card from elsewhere, or its file, to correct them by instead.
            force_card: Whether the card may be of another jury or protocol.

        Raises:
            ConfigurationError: It cannot be broken down by that, or cannot be corrected.
        """
        correction = Correction.read(labels, card, force=force_card)
        with closing(StoredRun(self.directory)) as stored:
            summary = stored.summary(by, correction)
            if form == "table":
                return as_text(lambda console: write_table(stored, summary, console))
            return written_report(stored, summary, form)

    def figures(
        self,
        *only: str,
        labels: str | PathLike[str] | Mapping[str, object] | None = None,
        card: str | PathLike[str] | JuryCard | None = None,
        force_card: bool = False,
    ) -> Figures:
        """Return the figures of the run, as `safejury figures` draws them; none is drawn yet.

        Each has a `name`, a `caption` and a `table`, and is drawn by `svg()`, `png()` or `pdf()`;
        a notebook shows it.

        Args:
            only: Names of figures, such as `radar`; all that there is data for unless given.
            labels: See `report`.
            card: See `report`; its curve and weights are drawn as well.
            force_card: See `report`.

        Raises:
            ConfigurationError: There is no figure of one of the names, or the rates cannot be
                corrected by that.
        """
        correction = Correction.read(labels, card, force=force_card)
        with closing(StoredRun(self.directory)) as stored:
            return figures_of(Leaderboard.of([stored], correction), only)

    def corrected(
        self,
        *,
        labels: str | PathLike[str] | Mapping[str, object] | None = None,
        card: str | PathLike[str] | JuryCard | None = None,
        force_card: bool = False,
    ) -> RunSummary:
        """Return the statistics with corrected rates, as `asr.corrected`; see `report`.

        Raises:
            ConfigurationError: The rates cannot be corrected by that, or neither labels nor a card
                are given.
        """
        correction = Correction.read(labels, card, force=force_card)
        if correction is None:
            raise ConfigurationError("nothing to correct the rates by: give labels or a card")
        with closing(StoredRun(self.directory)) as stored:
            return stored.summary(correction=correction)

    def gate(
        self,
        policy: str | PathLike[str] | None = None,
        *,
        fail_if: str | Sequence[str] = (),
        baseline: str | PathLike[str] | None = None,
        force: bool = False,
    ) -> "GateResult":
        """Decide whether the run satisfies a policy, as `safejury gate` does.

        Args:
            policy: The policy's file.
            fail_if: Rules beside it, such as `asr > 5%`.
            baseline: Directory of the run that `delta(...)` compares with; the policy's unless
                given.
            force: Whether that may be of another jury or other data.

        Returns:
            What was decided: `passed`, and each rule in `checks`.

        Raises:
            ConfigurationError: The policy is empty or cannot be, or the run has not what it names.
            RecordChangedError: A case is not as it was recorded.
        """
        from ..gate import Policy, gate, read_policy, typed_rules

        said = Policy(()) if policy is None else read_policy(Path(policy))
        typed = typed_rules([fail_if] if isinstance(fail_if, str) else fail_if, "fail_if")
        wanted = replace(
            said,
            rules=(*said.rules, *typed),
            baseline=said.baseline if baseline is None else Path(baseline),
            force=force,
        )
        return gate(self.directory, wanted)

    def __repr__(self) -> str:
        unfinished = self.summary.unfinished
        done = f"unfinished, {unfinished} cases" if unfinished else ""
        done = done or many(self.summary.finished, "case")
        lines = [f"<Result {self.directory}: {done}>", *map(_line, self.summary.targets)]
        return "\n  ".join([*lines, *([f"stopped: {self.stopped}"] if self.stopped else [])])

    def __str__(self) -> str:
        return as_text(self._write)

    def _repr_html_(self) -> str:
        return as_html(self._write)

    def _write(self, console: Console) -> None:
        with closing(StoredRun(self.directory)) as stored:
            write_table(stored, stored.summary(), console)


def _line(target: TargetSummary) -> str:
    asr = target.asr
    return (
        f"{escape_line(target.name)}: attack success {percent(asr.micro)} (n {asr.n:,}), "
        f"{target.verdicts:,} of {many(target.cases, 'case')} with a verdict"
    )


def load(directory: str | Path) -> Result:
    """Read a run, finished or not, from its directory, such as `runs/first`.

    Raises:
        RecordChangedError: The run is not as it was recorded.
        RecordError: There is no run that can be read.
    """
    return Result(directory)
