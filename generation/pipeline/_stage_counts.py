"""Counts what happened in a stage, and decides whether failed calls end it."""

from collections import Counter

from ...agents import ReplyFailure
from ...common import ModelError
from ._context import StageContext


class StageCounts:
    """Counts of a stage, and its failed calls.

    Attributes:
        counts: By name.
        failure: What the last failed call said, None where none failed.
        passing: Calls that failed and may go well another time.
    """

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self.failure: str | None = None
        self.passing = 0

    def add(self, name: str, number: int = 1) -> None:
        """Increase a count; counts of zero are left out."""
        if number:
            self.counts[name] += number

    def add_failure(self, detail: str, *, may_pass: bool = True) -> None:
        """Count a call that failed.

        Args:
            detail: What it said.
            may_pass: Whether it may go well another time.
        """
        self.failure = detail
        self.passing += may_pass

    def add_missing(self, who: str, missing: ReplyFailure) -> None:
        """Count a reply without usable content, by source and reason.

        Args:
            who: What the name of the count begins with.
            missing: Why there is nothing.
        """
        self.add(f"{who}_{missing.reason}")
        if missing.reason == "failed":
            self.failure = missing.detail
        self.passing += missing.passing

    def add_all(self, other: "StageCounts") -> None:
        """Add the counts of another."""
        self.counts += other.counts
        self.failure = other.failure or self.failure
        self.passing += other.passing

    def settle(
        self, context: StageContext, stage: str, failed: str, *, may_pass: bool, empty: bool
    ) -> None:
        """Report failed calls, and end the stage unless it may go on without them.

        Args:
            context: Says whether failures are accepted, and reports them if so.
            stage: The stage's name.
            failed: How many calls failed; what the last one said is put behind it.
            may_pass: Whether some of what is missing may come if it is asked for once more.
            empty: Whether nothing at all was made, with which no stage can go on.

        Raises:
            ModelError: Nothing was made, or some of what is missing may still come and
                failures are not accepted.
        """
        failed = f"{stage}: {failed}: {self.failure}"
        if empty:
            raise ModelError(f"{failed}; fix the cause and repeat the command, or use other models")
        if may_pass and not context.accepts_failures:
            raise ModelError(
                f"{failed}; repeat the command to retry them, or add "
                "--accept-failures to continue without them"
            )
        context.progress.notify(f"{failed}; retry them with --again {stage}")
