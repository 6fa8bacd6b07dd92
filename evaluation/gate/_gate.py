"""Decides whether a stored run satisfies a policy."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ...common import (
    ConfigurationError,
    RecordChangedError,
    RecordError,
    SafejuryError,
    escape_line,
)
from ...deliberation import as_text
from ...models import EMBEDDED_WARNING
from ..metrics import RunSummary, read_own_cost, shortfalls
from ..record import RECORD
from ..report import Correction, StoredRun, describe_unchained, health_warnings
from ..trust.recheck import why_unchecked
from ._baseline import Baseline
from ._check import Check, Outcome, decide
from ._expression import Expression
from ._measured import Figures, Measured
from ._parts import Part, parts_of
from ._rules import Policy, refuse_repeats

EXIT_POLICY, EXIT_INFRASTRUCTURE = 1, 3


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether a run satisfies a policy, and why.

    Attributes:
        run: The run's directory.
        policy: The policy.
        checks: Each rule on each part of the run that it is about, in the policy's order.
        unfit: Why the run is not fit to be decided by, a sentence each: it is unfinished, or has
            too few verdicts or ballots.
        notes: What else a reader must know, a sentence each.
        record: SHA-256 of the run's record.
        error: What kept the run from being decided at all, None for nothing.
        error_code: The exit code of that.
    """

    run: Path
    policy: Policy
    checks: tuple[Check, ...] = ()
    unfit: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    record: str = ""
    error: str | None = None
    error_code: int = EXIT_INFRASTRUCTURE

    @property
    def not_accepted(self) -> tuple[Check, ...]:
        """The checks that keep the run from passing."""
        return tuple(check for check in self.checks if not check.is_accepted)

    @property
    def in_order(self) -> tuple[Check, ...]:
        """The checks, those first that keep the run from passing."""
        return tuple(sorted(self.checks, key=lambda check: check.is_accepted))

    @property
    def exit_code(self) -> int:
        """The exit code: 0 passed, 1 the policy failed and nothing else, 2 usage, 3 unfit."""
        if self.error is not None:
            return self.error_code
        # What failed on figures that are not fit may pass when they are: fix that first.
        if self.unfit:
            return EXIT_INFRASTRUCTURE
        return EXIT_POLICY if self.not_accepted or not self.checks else 0

    @property
    def passed(self) -> bool:
        """Whether the run satisfies the policy."""
        return self.exit_code == 0

    def __str__(self) -> str:
        from .formats import write_gate  # which writes this

        return as_text(lambda console: write_gate(self, console))

    def count(self, outcome: Outcome) -> int:
        """Count the checks with an outcome."""
        return sum(check.outcome is outcome for check in self.checks)


def gate(directory: Path, policy: Policy) -> GateResult:
    """Decide whether a stored run satisfies a policy. No model is called.

    Args:
        directory: The run's directory.
        policy: What it must satisfy.

    Raises:
        ConfigurationError: The policy is empty, repeats a rule, names what the run does not
            have, or compares with a run that cannot be compared.
        RecordChangedError: The run is not as it was recorded, or its record is damaged.
        RecordError: There is no run.
    """
    refuse_repeats(policy.rules)
    _check_correction(policy)
    try:
        with closing(StoredRun(directory)) as stored:
            return _decided(stored, policy)
    except RecordError as error:
        read = [directory, *([policy.baseline] if policy.baseline and policy.compares else [])]
        if isinstance(error, RecordChangedError) or not all(map(_has_record, read)):
            raise
        # There is a run, and what it found cannot be read: no fault of the command's words.
        raise RecordChangedError(str(error)) from None


def _decided(stored: StoredRun, policy: Policy) -> GateResult:
    correction = Correction.read(policy.labels, policy.card)
    summary = stored.summary(correction=correction)
    functions = stored.meta.identity.get("functions", ())
    own = read_own_cost(stored.reader.kept.rows, functions)
    figures = Figures(summary, stored.facts, policy.thresholds, own)
    baseline = Baseline.of(stored, policy)

    def measure(says: Expression, part: Part) -> Measured:
        return (baseline if says.is_delta else figures).measure(says, part)

    checks = [
        decide(rule, part.of, measure(rule.says, part))
        for rule in policy.rules
        for part in parts_of(rule.says, summary, str(stored.directory))
    ]
    notes = (*_notes(stored, summary, policy), *baseline.notes)
    return GateResult(
        stored.directory,
        policy,
        tuple(checks),
        (*_unfit(stored, summary, policy), *baseline.unfit),
        tuple(escape_line(note) for note in notes),
        stored.integrity.digest,
    )


def failed_gate(directory: Path, policy: Policy, error: SafejuryError) -> GateResult:
    """Return the result of a gate that an error kept from deciding, to be written like others."""
    return GateResult(directory, policy, error=str(error), error_code=error.exit_code)


def _has_record(directory: Path) -> bool:
    return (directory / RECORD).is_file()


def _check_correction(policy: Policy) -> None:
    if policy.card_checked_within is not None and policy.card is None:
        raise ConfigurationError("--card-checked-within goes with a card: name it with --card")
    corrected = any(rule.says.metric.name == "asr_corrected" for rule in policy.rules)
    given = policy.labels is not None or policy.card is not None
    if corrected and not given:
        raise ConfigurationError(
            "asr_corrected is corrected by something: name labels of the run with --labels, or a "
            "jury card with --card, or either in the policy"
        )


def _unfit(stored: StoredRun, summary: RunSummary, policy: Policy) -> Iterator[str]:
    """Yield why a run is not fit to be decided by."""
    if summary.unfinished is not None:
        yield (
            f"The run is unfinished: {summary.unfinished} cases. Repeat its command to resume it."
        )
    if stored.uses_embedded:
        yield EMBEDDED_WARNING
    yield from shortfalls(summary, policy.thresholds, stored.facts)
    if policy.card is not None and policy.card_checked_within is not None:
        why = why_unchecked(policy.card, policy.card_checked_within)
        if why is not None:
            yield why


def _notes(stored: StoredRun, summary: RunSummary, policy: Policy) -> Iterator[str]:
    """Yield what a reader must know: first where the policy itself asks for less."""
    for rule in policy.rules:
        if rule.on == "estimate" and rule.says.metric.has_interval:
            yield (
                f"{rule.name}: on the estimate alone, whatever its interval; more cases may show "
                "that it is beyond the bound."
            )
        if rule.missing == "leave_out":
            yield f"{rule.name}: cases without a verdict are left out, as if they did not count."
        if rule.cannot_tell == "pass":
            yield f"{rule.name}: passes where too few cases were judged to tell."
    yield from filter(None, [describe_unchained(stored.integrity)])
    yield from stored.notes_on_correction
    yield from health_warnings(summary, wanted=policy.thresholds, facts=stored.facts)
