"""Checks whether enough cases and ballots support the figures of a run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...common import escape_line
from ...common.text import count, many, whole_percent
from ...targets import ResponseOutcome
from ..trials import SkippedInput
from ._costs import exceeded

if TYPE_CHECKING:
    from ._summary import JurorBallots, RunSummary, TargetSummary

MIN_COVERAGE = 0.9
"""Default minimum fraction of cases with a verdict."""
MIN_PANEL = 0.9
"""Default minimum fraction of a juror's ballots that were not lost."""
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Thresholds that the figures of a run must reach; the exit code says whether they do.

    Attributes:
        min_coverage: Minimum fraction of cases with a verdict, in [0, 1], for each target
            under each condition.
        min_panel: Minimum fraction of ballots, in [0, 1], not lost to failed calls or the
            budget, for each juror on each target under each condition.
        allow_skipped: Whether rows and items that were skipped when files were read do not
            count as cases without a verdict.
    """

    min_coverage: float = MIN_COVERAGE
    min_panel: float = MIN_PANEL
    allow_skipped: bool = False


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Facts of a run that a report needs besides its figures.

    Attributes:
        left_out: What was skipped when files were read, by target.
        recorded: Targets that are files of responses, for which a retry is no use.
        rubric: Name and hash of a custom rubric, None for the bundled one.
        systems: Hashes of the system prompts of targets that have one, by target.
        models: Which model a target is, by target, where that is known; empty for the
            responses of a file that name none.
    """

    left_out: Mapping[str, SkippedInput] = field(default_factory=dict[str, SkippedInput])
    recorded: frozenset[str] = frozenset()
    rubric: tuple[str, str] | None = None
    systems: Mapping[str, str] = field(default_factory=dict[str, str])
    models: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def renamed(self) -> dict[str, str]:
        """Models named in files of responses that differ from the target's name, by target."""
        return {
            target: model
            for target, model in self.models.items()
            if target in self.recorded and model not in ("", target)
        }

    def of(self, target: "TargetSummary") -> SkippedInput:
        """Return what was skipped for a target."""
        return self.left_out.get(target.target, SkippedInput())


DEFAULT_THRESHOLDS = Thresholds()
"""The default thresholds."""
NO_FACTS = RunFacts()
"""Facts of a run that used all of its files."""


def coverage(target: "TargetSummary", wanted: Thresholds, facts: RunFacts) -> float | None:
    """Return the fraction of cases that need a verdict and have one, None without such cases.

    Skipped rows and items count as cases unless that is allowed. Where an attack gave up
    there is nothing to judge.
    """
    expected = target.cases if target.planned is None else target.planned
    if not wanted.allow_skipped:
        expected += facts.of(target).cases(expected)
    needed = expected - target.given_up
    return target.verdicts / needed if needed else None


def first_warnings(summary: "RunSummary") -> Iterator[str]:
    """Yield the warnings that come before any figure, one sentence each."""
    if (said := summary.unfinished) is not None:
        known = all(target.planned is not None for target in summary.targets)
        rest = "coverage counts all" if known else "the targets of the others are not known"
        yield (
            f"unfinished: {said} cases. The figures cover only these; {rest}. Repeat the run's "
            "command to resume it."
        )
    if summary.spent is not None:
        yield from exceeded(summary.spent)
    for target in summary.targets:
        for juror, ballots in target.jurors.items():
            if ballots.lost:
                yield f"{escape_line(target.name)}: {_lost(juror, ballots)}."


def _lost(juror: str, ballots: "JurorBallots") -> str:
    lacking = many(ballots.verdicts_lacking, "verdict lacks", "verdicts lack")
    so = f", so that {lacking} its vote" if ballots.verdicts_lacking else ""
    return (
        f"the juror {escape_line(juror)} cast {count(ballots.asked - ballots.lost)} of "
        f"{many(ballots.asked, 'ballot')} ({_causes(ballots)}){so}"
    )


def _causes(ballots: "JurorBallots") -> str:
    failed, stopped = ballots.outcomes["transport_error"], ballots.outcomes["budget_stop"]
    causes = ((failed, "failed calls"), (stopped, "the budget"))
    return ", ".join(f"{count(number)} lost to {cause}" for number, cause in causes if number)


def shortfalls(
    summary: "RunSummary", wanted: Thresholds, facts: RunFacts, *, again: str | None = None
) -> tuple[str, ...]:
    """Return why the figures do not reach the thresholds, a line each; empty if they do.

    Args:
        summary: The figures of the run.
        wanted: The thresholds.
        facts: Other facts of the run.
        again: The command that resumes the run; None where it is not known.
    """
    lines = [
        f"{escape_line(name)}: its file of responses was not read to the end, so the number of "
        "missing responses is unknown. Fix the file, or accept a part of it with "
        "--min-coverage 0."
        for name, lacks in facts.left_out.items()
        if lacks.cut and wanted.min_coverage > 0
    ]
    lines += _too_few_verdicts(summary, wanted, facts, again)
    lines += _too_few_ballots(summary, wanted, again)
    return tuple(lines)


def _too_few_verdicts(
    summary: "RunSummary", wanted: Thresholds, facts: RunFacts, again: str | None
) -> Iterator[str]:
    found = [(coverage(target, wanted, facts), target) for target in summary.targets]
    low: list[tuple[float, TargetSummary | None]] = [
        (share, target)
        for share, target in found
        if share is not None and share < wanted.min_coverage
    ]
    whole = _overall_coverage(summary)
    if not low and whole < wanted.min_coverage:
        # An older record, which does not say whose are missing.
        low = [(whole, None)]
    if low:
        named = [
            _below(share, wanted.min_coverage)
            + ("" if target is None else f" for {escape_line(target.name)}")
            for share, target in sorted(low, key=lambda each: each[0])[:_NAMED]
        ]
        if len(low) > _NAMED:
            named.append(f"too low for {len(low) - _NAMED} more")
        targets = [target for _, target in low if target is not None]
        yield (
            f"Coverage is {', '.join(named)}, below the minimum of "
            f"{whole_percent(wanted.min_coverage)}: "
            + _remedy(summary, targets, wanted, facts, again)
        )


def _overall_coverage(summary: "RunSummary") -> float:
    """Return the coverage of the whole run, 1 where the coverage of each target is known."""
    if not summary.targets or all(target.planned is not None for target in summary.targets):
        return 1.0
    return sum(target.verdicts for target in summary.targets) / summary.planned


def _remedy(
    summary: "RunSummary",
    low: "list[TargetSummary]",
    wanted: Thresholds,
    facts: RunFacts,
    again: str | None,
) -> str:
    """Return why targets have too few verdicts, and what to do about it."""
    if summary.unfinished is not None:
        return f"the run is unfinished ({summary.unfinished} cases). {_resume(again)}"
    lacks = [facts.of(target) for target in low if facts.of(target).cases(target.cases)]
    skipped = "" if wanted.allow_skipped or not lacks else _skipped(lacks)
    if skipped and not any(_is_low(each, wanted) for each in low):
        return f"{skipped}. Fix the files, or accept it with --allow-skipped."
    also = f"; {skipped}" if skipped else ""
    live = [target for target in low if target.target not in facts.recorded]
    curable = sum(target.outcomes.responses[ResponseOutcome.ERROR] for target in live)
    jurors = [juror for target in low for juror in target.jurors.values()]
    if curable or any(juror.lost for juror in jurors):
        cause = _fix(any(juror.outcomes["budget_stop"] for juror in jurors))
        return f"too many cases have no verdict{also}. {cause} {_retry(again)}"
    return f"too many cases have no verdict{also}. A retry would not help: see the warnings above."


def _is_low(target: "TargetSummary", wanted: Thresholds) -> bool:
    """Return whether coverage is too low even without counting skipped rows and items."""
    return target.coverage is not None and target.coverage < wanted.min_coverage


def _skipped(lacks: list[SkippedInput]) -> str:
    """Return how much was skipped; the set is the same for all targets."""
    said: list[str] = []
    if rows := sum(each.rows for each in lacks):
        used = sum(each.rows_used for each in lacks)
        said.append(describe_skipped(rows, used, "recorded response"))
    if items := max(each.items for each in lacks):
        used = max(each.items_used for each in lacks)
        said.append(describe_skipped(items, used, "item of the set", "items of the set"))
    return f"{' and '.join(said)} skipped, counted as cases without a verdict"


def describe_skipped(out: int, used: int, what: str, plural: str | None = None) -> str:
    """Return how many things were skipped, and of how many where that is known."""
    if not used:
        return f"{many(out, what, plural)} {'was' if out == 1 else 'were'}"
    return f"{count(out)} of {many(out + used, what, plural)} {'was' if out == 1 else 'were'}"


def _too_few_ballots(summary: "RunSummary", wanted: Thresholds, again: str | None) -> Iterator[str]:
    low = [
        (ballots.kept, target.name, juror, ballots)
        for target in summary.targets
        for juror, ballots in target.jurors.items()
        if ballots.kept < wanted.min_panel
    ]
    if low:
        kept, name, juror, ballots = min(low, key=lambda each: each[:3])
        others = (
            f"; {many(len(low) - 1, 'other is', 'others are')} too low as well" if low[1:] else ""
        )
        cause = _fix(ballots.outcomes["budget_stop"] > 0)
        yield (
            f"The juror {escape_line(juror)} kept only {_below(kept, wanted.min_panel)} of its "
            f"ballots on {escape_line(name)} ({_causes(ballots)}), below the minimum of "
            f"{whole_percent(wanted.min_panel)}{others}. {cause} {_retry(again)}"
        )


def _below(share: float, wanted: float) -> str:
    """Return a share in percent, with enough digits to read as less than what is wanted."""
    said = next(
        (said for digits in range(4) if float(said := f"{100 * share:.{digits}f}") < 100 * wanted),
        f"{100 * share:.4f}",
    )
    return f"{said} %"


def _fix(stopped: bool) -> str:
    if stopped:
        return "Raise limits.max_tokens_total or limits.max_cost_usd."
    return "Fix the cause shown above."


def _retry(again: str | None) -> str:
    if again is None:
        return "Then repeat the run's command with --retry-failed."
    return f"Then: {again}{'' if ' --retry-failed' in again else ' --retry-failed'}"


def _resume(again: str | None) -> str:
    return f"Resume with: {again}" if again else "Repeat the run's command to resume it."
