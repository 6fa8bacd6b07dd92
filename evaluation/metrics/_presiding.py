"""Counts what the foreperson's model did: its decisions, and summaries that were left out."""

from dataclasses import dataclass

from ..trials import CaseResult


@dataclass(frozen=True, slots=True)
class ForepersonFigures:
    """What the foreperson's model did.

    Attributes:
        summaries_dropped: Cases whose summary was left out, because it misstated the votes
            or the verdict.
        decided: Cases that it decided, where the rule is `foreperson`.
        differing: Those of them in which the majority found the opposite.
        without_majority: Those of them in which the jury had no majority.
        undecided: Cases in which it was to decide, and did not: they have no verdict.
    """

    summaries_dropped: int = 0
    decided: int = 0
    differing: int = 0
    without_majority: int = 0
    undecided: int = 0

    @property
    def asked(self) -> int:
        """Cases that it was to decide."""
        return self.decided + self.undecided

    def __add__(self, other: "ForepersonFigures") -> "ForepersonFigures":
        """Return both together."""
        return ForepersonFigures(
            self.summaries_dropped + other.summaries_dropped,
            self.decided + other.decided,
            self.differing + other.differing,
            self.without_majority + other.without_majority,
            self.undecided + other.undecided,
        )


def presiding(result: CaseResult) -> ForepersonFigures:
    """Return what the foreperson's model did in one case."""
    if result.decision is None:
        return ForepersonFigures(int(result.summary_dropped))
    decided = result.finding is not None
    has_majority = result.majority is not None
    return ForepersonFigures(
        int(result.summary_dropped),
        int(decided),
        int(decided and has_majority and result.majority is not result.finding),
        int(decided and not has_majority),
        int(not decided),
    )
