"""Whom the foreperson asks in round 0, when it stops, and what is decided then."""

import random
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from ....agents import Ballot
from .._aggregation import Rule, decide_votes
from .._aggregation_verdict import contested
from .._curtailment import fewest_that_may_settle, fixed
from .._settings import Protocol as Settings
from .._votes import Decision, Votes
from ._sequential import AskBySequence

_KEPT = 1024
"""Cases whose order is kept: it is drawn once, and looked up at each step."""


class Asking(Protocol):
    """Says whom to ask next, when to stop, and what is decided then.

    It keeps nothing of a case: all follows from the ballots, so that a record is decided again
    as it was.
    """

    def next(self, case_id: str, ballots: Sequence[Ballot]) -> tuple[str, ...]:
        """Return the seats to ask next, all at once; none to stop.

        Args:
            case_id: The case.
            ballots: Those of round 0 so far, of all seats that were asked.
        """
        ...

    def decide(self, ballots: Sequence[Ballot]) -> Decision:
        """Decide by the ballots of a round; seats without one were not asked."""
        ...


class AskAll:
    """Asks all seats at once.

    Args:
        seats: The seats.
        rule: The rule, already checked.
    """

    def __init__(self, seats: Sequence[str], rule: Rule) -> None:
        self._seats, self._rule = tuple(seats), rule

    def next(self, case_id: str, ballots: Sequence[Ballot]) -> tuple[str, ...]:
        """See `Asking`."""
        return () if ballots else self._seats

    def decide(self, ballots: Sequence[Ballot]) -> Decision:
        """See `Asking`."""
        return decide_votes(Votes.of(ballots, len(self._seats)), self._rule)


class AskUntilFixed(AskAll):
    """Asks in a drawn order, and stops once no vote of the rest could change the outcome.

    Args:
        seats: The seats.
        rule: The rule, already checked.
        seed: Decides the order, with the case.
        talks: Whether jurors talk where a round is contested, for which all are asked.
    """

    def __init__(self, seats: Sequence[str], rule: Rule, seed: int, *, talks: bool) -> None:
        super().__init__(seats, rule)
        self._seed, self._talks = seed, talks

    def next(self, case_id: str, ballots: Sequence[Ballot]) -> tuple[str, ...]:
        """See `Asking`: as many as must at least be asked before the outcome can be fixed."""
        order = drawn_order(self._seats, self._seed, case_id)
        waiting = order[len(ballots) :]
        if self._talks and ballots and contested(ballots) is not None:
            return waiting
        now = Votes.of(ballots, len(order))
        if not waiting or (ballots and fixed(now, len(waiting), self._rule)):
            return ()
        return waiting[: fewest_that_may_settle(ballots, len(waiting), self._rule)]


@lru_cache(_KEPT)
def drawn_order(seats: tuple[str, ...], seed: int, case_id: str) -> tuple[str, ...]:
    """Return seats in the order in which they are asked of a case, where they are in turn."""
    order = list(seats)
    random.Random(f"{seed}/{case_id}").shuffle(order)
    return tuple(order)


def asking_of(protocol: Settings, seats: Sequence[str], *, seed: int = 0) -> Asking:
    """Return whom a protocol asks, and when it stops.

    Args:
        protocol: Its settings, already checked.
        seats: The seats, in order.
        seed: The run's.

    Raises:
        ConfigurationError: It stops early by a jury card, which does not know all seats.
    """
    match protocol.stop:
        case "all":
            return AskAll(seats, protocol.rule)
        case "curtailed":
            return AskUntilFixed(seats, protocol.rule, seed, talks=protocol.talk != "never")
        case "sequential":
            return AskBySequence(seats, protocol.rule, protocol.bound)
