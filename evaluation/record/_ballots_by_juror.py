"""Counts ballots by juror from transcripts, for records whose results lack the counts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import msgspec

from ...agents import BallotOutcome
from ..trials import CaseResult

BALLOTS_OF = (
    "SELECT body FROM entries WHERE case_id = ? AND kind = 'BallotsRevealed' ORDER BY number"
)
"""SQL for the rounds of a case, as `add_ballots_by_juror` takes them."""


class _Ballot(msgspec.Struct):
    juror: str
    outcome: BallotOutcome


class RevealedBallots(msgspec.Struct):
    """The jurors and outcomes in a `BallotsRevealed`."""

    ballots: tuple[_Ballot, ...]


def add_ballots_by_juror(result: CaseResult, rounds: Iterable[RevealedBallots]) -> CaseResult:
    """Return a result with its ballots by juror, counted from the transcript if they are missing.

    Args:
        result: The result of a case, perhaps recorded by an earlier version.
        rounds: Its rounds, of the rows of `BALLOTS_OF`; not read unless they are needed.
    """
    if result.by_juror or not result.ballots:
        return result
    counts: dict[str, Counter[str]] = {}
    for revealed in rounds:
        for ballot in revealed.ballots:
            counts.setdefault(ballot.juror, Counter())[ballot.outcome.value] += 1
    return replace(result, by_juror={juror: dict(said) for juror, said in counts.items()})
