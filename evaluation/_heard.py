"""Who cast which ballots of a case, for records that do not say it in the result."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import msgspec

from ._result import CaseResult

BALLOTS_OF = (
    "SELECT body FROM entries WHERE case_id = ? AND kind = 'BallotsRevealed' ORDER BY number"
)
"""The rounds of a case, as `heard_by_juror` takes them."""


class _Ballot(msgspec.Struct):
    juror: str
    outcome: str


class _Revealed(msgspec.Struct):
    """The part of a `BallotsRevealed` that says whose ballots they were."""

    ballots: tuple[_Ballot, ...]


_decode = msgspec.json.Decoder(_Revealed).decode


def heard_by_juror(result: CaseResult, rounds: Iterable[tuple[str, ...]]) -> CaseResult:
    """Return a result that has its ballots by juror, read from the transcript if need be.

    Args:
        result: What was found of a case, perhaps by an earlier version.
        rounds: Rows of `BALLOTS_OF` for it; not touched where the result says it.
    """
    if result.by_juror or not result.ballots:
        return result
    counts: dict[str, Counter[str]] = {}
    for (body,) in rounds:
        for ballot in _decode(body).ballots:
            counts.setdefault(ballot.juror, Counter())[ballot.outcome] += 1
    return replace(result, by_juror={juror: dict(said) for juror, said in counts.items()})
