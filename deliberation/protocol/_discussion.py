"""When a jury discusses a case: after which rounds its protocol has one held."""

from collections.abc import Collection, Sequence

from ...agents import Ballot
from ._aggregation import decide
from ._aggregation_verdict import contested
from ._settings import Protocol


def why_discuss(
    rounds: Sequence[Sequence[Ballot]],
    protocol: Protocol,
    standing: Collection[str] = (),
    *,
    seats: int | None = None,
) -> str | None:
    """Return why the jurors discuss a case after these rounds, None where they do not.

    Args:
        rounds: The ballots of each round so far, at least one.
        protocol: How they deliberate.
        standing: Seats whose ballots of round 0 stand in every later round.
        seats: Number of seats on the jury; None where all were asked.
    """
    held, last = len(rounds) - 1, rounds[-1]
    if protocol.talk == "never" or held >= protocol.rounds:
        return None
    if not any(ballot.is_vote for ballot in last):
        return None  # nobody has anything to say
    if seats is not None and len(rounds[0]) < seats:
        return None  # what was found is as good as sure
    if protocol.stop == "sequential" and not held and _is_sure(last, protocol):
        return None
    if frozenset(standing).issuperset(ballot.juror for ballot in last):
        return None  # nobody is there to hear it
    if protocol.talk == "always" and held == 0:
        return contested(last) or "the protocol always has one"
    # No talk brings the vote of a guard that gave none.
    return contested([b for b in last if b.is_vote or not held or b.juror not in standing])


def _is_sure(ballots: Sequence[Ballot], protocol: Protocol) -> bool:
    """Return whether the rule knows the probability of unsafe, and it is not between the limits."""
    found = decide(ballots, protocol.rule, seats=len(ballots)).probability
    low, high = protocol.talk_between
    return found is not None and not low <= found <= high
