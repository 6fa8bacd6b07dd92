"""Who cast which ballots of a case, for records that do not say it in the result."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import msgspec

from ...agents import BallotOutcome
from ..trials import CaseResult

BALLOTS_OF = (
    "SELECT body FROM entries WHERE case_id = ? AND kind = 'BallotsRevealed' ORDER BY number"
)
"""The rounds of a case, as `heard_by_juror` takes them."""


class _Ballot(msgspec.Struct):
    juror: str
    outcome: BallotOutcome


class Revealed(msgspec.Struct):
    """The part of a `BallotsRevealed` that says whose ballots they were."""

    ballots: tuple[_Ballot, ...]


def heard_by_juror(result: CaseResult, rounds: Iterable[Revealed]) -> CaseResult:
    """Return a result that has its ballots by juror, taken from the transcript if need be.

    Args:
        result: What was found of a case, perhaps by an earlier version.
        rounds: Its rounds, of the rows of `BALLOTS_OF`; not touched where the result says it.
    """
    if result.by_juror or not result.ballots:
        return result
    counts: dict[str, Counter[str]] = {}
    for revealed in rounds:
        for ballot in revealed.ballots:
            counts.setdefault(ballot.juror, Counter())[ballot.outcome.value] += 1
    return replace(result, by_juror={juror: dict(said) for juror, said in counts.items()})
