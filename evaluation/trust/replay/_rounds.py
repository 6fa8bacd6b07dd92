"""Which ballots of a recorded case would have been cast on other terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ....agents import Ballot
from ....deliberation import Votes, contested
from ....deliberation.protocol import fewest_that_may_settle, fixed, why_discuss
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


def would_be_heard(recorded: Rounds, case_id: str, before: Terms, after: Terms) -> Heard:
    """Return the ballots that a case would have had on other terms, from those that it had.

    Args:
        recorded: Its ballots, round by round, at least one round.
        case_id: Its id, by which jurors are asked in turn.
        before: What it was decided by.
        after: The other terms.
    """
    if after.hears_as(before):
        return Heard(recorded)
    seated = [[ballot for ballot in said if ballot.juror in after.seats] for said in recorded]
    first = _independent(seated[0], case_id, after)
    if first.unknown:
        return first
    rounds = [*first.rounds]
    while why_discuss(rounds, after.protocol, after.standing) is not None:
        if len(rounds) == len(seated):
            return Heard(rounds, "the jurors would have talked, and did not")
        if not after.talks_as(before):
            return Heard(rounds, "the jurors would have talked in another way")
        rounds.append(seated[len(rounds)])
    return Heard(rounds)


def _independent(cast: Sequence[Ballot], case_id: str, terms: Terms) -> Heard:
    """Return the ballots of round 0 that would have been asked for."""
    ballots = {ballot.juror: ballot for ballot in cast}
    if terms.protocol.stop == "curtailed":
        return _curtailed(ballots, case_id, terms)
    absent = [seat for seat in terms.seats if seat not in ballots]
    if not absent:
        return Heard([cast])
    # What they would have said may make no difference; but they might have had it talked over.
    now = Votes.of(cast, len(terms.seats))
    alike = terms.protocol.talk == "never" and fixed(now, len(absent), terms.protocol.rule)
    return Heard([cast], "" if alike else _never_asked(absent))


def _curtailed(ballots: Mapping[str, Ballot], case_id: str, terms: Terms) -> Heard:
    """Ask in turn, as the foreperson does."""
    waiting, cast = [*terms.order(case_id)], list[Ballot]()
    talks, rule = terms.protocol.talk != "never", terms.protocol.rule
    while waiting:
        differ = talks and bool(cast) and contested(cast) is not None
        if not differ and cast and fixed(Votes.of(cast, len(terms.seats)), len(waiting), rule):
            break
        few = len(waiting) if differ else fewest_that_may_settle(cast, len(waiting), rule)
        asked, waiting = waiting[:few], waiting[few:]
        if absent := [seat for seat in asked if seat not in ballots]:
            return Heard([_in_order(cast, terms)], _never_asked(absent))
        cast += [ballots[seat] for seat in asked]
    return Heard([_in_order(cast, terms)])


def _in_order(ballots: Sequence[Ballot], terms: Terms) -> list[Ballot]:
    return sorted(ballots, key=lambda ballot: terms.seats.index(ballot.juror))


def _never_asked(absent: Sequence[str]) -> str:
    return f"never asked: {', '.join(absent)}"
