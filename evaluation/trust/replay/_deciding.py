"""Decides recorded cases again; alike ballots are decided once."""

from collections.abc import Hashable
from dataclasses import dataclass

import msgspec

from ....agents import Ballot, BallotOutcome, Classification, Finding
from ....common import RecordChangedError
from ....deliberation import RULES, BallotsRevealed
from ....deliberation.protocol import deciding_round, each_once
from ....deliberation.protocol.asking import asking_of
from ...record import Deliberated
from ._rounds import Heard, Rounds, would_be_heard
from ._terms import Terms

_MOST_KEPT = 10_000
"""Decisions that are kept for cases whose ballots say the same."""


# Frozen, so that alike ones are one key; nothing of them can refer to itself.
class _Guarding(msgspec.Struct, frozen=True, gc=False):
    """That a ballot is a guard's."""


class _Vote(msgspec.Struct, frozen=True, gc=False):
    """What rules that come with the package read of a ballot."""

    juror: str
    round: int
    outcome: BallotOutcome
    finding: Finding | None = None
    rating: int | None = None
    guard: _Guarding | None = None


class _Votes(msgspec.Struct, frozen=True, gc=False):
    ballots: tuple[_Vote, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a case comes to on other terms.

    Attributes:
        finding: None for no verdict, and where it is not known.
        unknown: Why it is not known; empty where it is.
        reason: Why there is no verdict, or how a tie was broken; else empty.
        probability: Calibrated probability in [0, 1] that the response is unsafe, None unless
            the rule gives one.
        ballots: Ballots that the run asked for, and that these terms ask for.
        first: Those of them in round 0, on these terms.
        heard_removed: Whether jurors voted again after they had read one who is left out now.
    """

    finding: Finding | None
    unknown: str = ""
    reason: str = ""
    probability: float | None = None
    ballots: tuple[int, int] = (0, 0)
    first: int = 0
    heard_removed: bool = False


class Decider:
    """Decides recorded cases on other terms.

    Args:
        before: What they were decided by.
        after: The other terms.
        where: The run's directory, for errors.
    """

    def __init__(self, before: Terms, after: Terms, where: str) -> None:
        self._before = before
        self._after = after
        self._where = where
        rule = RULES[after.protocol.rule.name]
        self._reads_all = rule.source_sha256 is not None and not rule.counts_only
        self._asking = asking_of(after.protocol, after.seats, seed=after.seed)
        self._heard_alike = after.hears_as(before)
        self._in_turn = after.protocol.stop == "curtailed" and not self._heard_alike
        self._decode_votes = msgspec.json.Decoder(_Votes).decode
        self._decode_all = msgspec.json.Decoder(BallotsRevealed).decode
        self._kept: dict[Hashable, Decided] = {}

    def decide(self, case: Deliberated) -> Decided:
        """Decide a case.

        Raises:
            ConfigurationError: A rule of the user's own fails.
            RecordChangedError: Its ballots cannot be read.
        """
        if not case.rounds:  # nobody was asked
            return Decided(None if case.finding is None else Finding(case.finding))
        try:
            if self._reads_all:
                rounds = [self._decode_all(body).ballots for body in case.rounds]
                return self._decided(rounds, case)
            said = tuple(map(self._decode_votes, case.rounds))
        except (msgspec.MsgspecError, RecursionError, ValueError) as error:
            raise RecordChangedError(
                f"{self._where}: the ballots of the case {case.case_id!r} cannot be read ({error})"
            ) from None
        order = self._after.order(case.case_id) if self._in_turn else ()
        own = case.finding if self._after.protocol.foreperson_decides else None
        key = (said, order, own)
        if (known := self._kept.get(key)) is not None:
            return known
        rounds = [[_ballot(vote) for vote in votes.ballots] for votes in said]
        decided = self._decided(rounds, case)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[key] = decided
        return decided

    def _decided(self, recorded: Rounds, case: Deliberated) -> Decided:
        after = self._after
        heard = Heard(recorded)
        if not self._heard_alike:
            heard = would_be_heard(recorded, case.case_id, self._before, after, self._asking)
        counts = sum(1 for _ in each_once(recorded)), sum(1 for _ in each_once(heard.rounds))
        removed = len(heard.rounds) > 1 and any(
            ballot.juror not in after.seats for ballot in recorded[0]
        )
        if not heard.unknown and after.protocol.foreperson_decides:
            return self._by_foreperson(recorded, heard, case, counts, removed=removed)
        if heard.unknown:
            return Decided(None, heard.unknown, ballots=counts, first=len(heard.rounds[0]))
        seats, rule, rounds = len(after.seats), after.protocol.rule, heard.rounds
        decided = self._asking.decide
        last = rounds[deciding_round(rounds, rule, seats=seats, decided=decided)]
        made = decided(last)
        reason = "" if self._reads_all else made.reason  # one of the user's own may quote others
        return Decided(
            made.finding,
            "",
            reason,
            made.probability,
            counts,
            len(rounds[0]),
            heard_removed=removed,
        )

    def _by_foreperson(
        self,
        recorded: Rounds,
        heard: Heard,
        case: Deliberated,
        counts: tuple[int, int],
        *,
        removed: bool,
    ) -> Decided:
        """Return the foreperson's decision, where it would have read the same ballots."""
        first = len(heard.rounds[0])
        if [*map(list, heard.rounds)] != [*map(list, recorded)]:
            why = "the foreperson would have read other ballots"
            return Decided(None, why, ballots=counts, first=first)
        finding = None if case.finding is None else Finding(case.finding)
        return Decided(finding, ballots=counts, first=first, heard_removed=removed)


def _ballot(vote: _Vote) -> Ballot:
    guard = None if vote.guard is None else Classification("")
    return Ballot(vote.juror, vote.round, vote.outcome, vote.finding, vote.rating, guard=guard)
