"""Which ballots of a recorded case would have been cast on other terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ....agents import Ballot
from ....deliberation import Votes
from ....deliberation.protocol import fixed, why_discuss
from ....deliberation.protocol.asking import Asking
from ._terms import Terms

Rounds = Sequence[Sequence[Ballot]]


@dataclass(frozen=True, slots=True)
class Heard:
    """The ballots that would have been cast.

    Attributes:
        rounds: Those of each round, as far as they are known.
        unknown: Why the rest is not known; empty where nothing is missing.
    """

    rounds: Rounds
    unknown: str = ""


def would_be_heard(
    recorded: Rounds, case_id: str, before: Terms, after: Terms, asking: Asking
) -> Heard:
    """Return the ballots that a case would have had on other terms, from those that it had.

    Not for terms by which the same jurors are asked for the same ballots.

    Args:
        recorded: Its ballots, round by round, at least one round.
        case_id: Its id, by which jurors are asked in turn.
        before: What it was decided by.
        after: The other terms.
        asking: Whom they ask.
    """
    seated = [[ballot for ballot in said if ballot.juror in after.seats] for said in recorded]
    first = _independent(seated[0], case_id, after, asking)
    if first.unknown:
        return first
    rounds = [*first.rounds]
    seats = len(after.seats)
    while why_discuss(rounds, after.protocol, after.standing, seats=seats) is not None:
        if len(rounds) == len(seated):
            return Heard(rounds, "the jurors would have talked, and did not")
        if not after.talks_as(before):
            return Heard(rounds, "the jurors would have talked in another way")
        rounds.append(seated[len(rounds)])
    return Heard(rounds)


def _independent(cast: Sequence[Ballot], case_id: str, terms: Terms, asking: Asking) -> Heard:
    """Return the ballots of round 0 that would have been asked for."""
    ballots = {ballot.juror: ballot for ballot in cast}
    if terms.protocol.stop != "all":
        return _in_turn(ballots, case_id, terms, asking)
    absent = [seat for seat in terms.seats if seat not in ballots]
    if not absent:
        return Heard([cast])
    # What they would have said may make no difference; but they might have had it talked over.
    now = Votes.of(cast, len(terms.seats))
    alike = terms.protocol.talk == "never" and fixed(now, len(absent), terms.protocol.rule)
    return Heard([cast], "" if alike else _never_asked(absent))


def _in_turn(ballots: Mapping[str, Ballot], case_id: str, terms: Terms, asking: Asking) -> Heard:
    """Ask in turn, as the foreperson does."""
    cast = list[Ballot]()
    while asked := asking.next(case_id, cast):
        if absent := [seat for seat in asked if seat not in ballots]:
            return Heard([_in_order(cast, terms)], _never_asked(absent))
        cast += [ballots[seat] for seat in asked]
    return Heard([_in_order(cast, terms)])


def _in_order(ballots: Sequence[Ballot], terms: Terms) -> list[Ballot]:
    return sorted(ballots, key=lambda ballot: terms.seats.index(ballot.juror))


def _never_asked(absent: Sequence[str]) -> str:
    return f"never asked: {', '.join(absent)}"
