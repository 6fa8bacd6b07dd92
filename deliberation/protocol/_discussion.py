"""When a jury discusses a case: after which rounds its protocol has one held."""

from collections.abc import Collection, Sequence

from ...agents import Ballot
from ._aggregation_verdict import contested
from ._settings import Protocol


def why_discuss(
    rounds: Sequence[Sequence[Ballot]], protocol: Protocol, standing: Collection[str] = ()
) -> str | None:
    """Return why the jurors discuss a case after these rounds, None where they do not.

    Args:
        rounds: The ballots of each round so far, at least one.
        protocol: How they deliberate.
        standing: Seats whose ballots of round 0 stand in every later round.
    """
    held, last = len(rounds) - 1, rounds[-1]
    if protocol.talk == "never" or held >= protocol.rounds:
        return None
    if not any(ballot.is_vote for ballot in last):
        return None  # nobody has anything to say
    if frozenset(standing).issuperset(ballot.juror for ballot in last):
        return None  # nobody is there to hear it
    if protocol.talk == "always" and held == 0:
        return contested(last) or "the protocol always has one"
    # No talk brings the vote of a guard that gave none.
    return contested([b for b in last if b.is_vote or not held or b.juror not in standing])
