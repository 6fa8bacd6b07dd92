"""Curtailed voting: stop asking once the outcome is fixed."""

from collections.abc import Sequence
from functools import lru_cache

from ...agents import Ballot
from ._aggregation import RULES, RegisteredRule, Rule, decide_votes
from ._votes import Votes

_KEPT = 4096
"""Counts whose outcome is kept: rules that read counts say the same of the same counts."""


def settled(ballots: Sequence[Ballot], remaining: int, rule: Rule) -> bool:
    """Return whether the outcome is the same whatever the remaining seats do.

    `no_verdict` is an outcome like the two findings, and a remaining seat may fail
    to vote. Every completion is tried, so the answer is exact for rules that read
    counts only, and such rules say it themselves as decide by a jury card; for any
    other rule it is True only once every seat was asked.

    Args:
        ballots: The ballots so far, at most one of each seat.
        remaining: Seats not asked yet, 0 or more.
        rule: The rule and its settings.

    Raises:
        ConfigurationError: The rule does not fit the number of seats.
    """
    if remaining <= 0:
        return True
    seats = len(ballots) + remaining
    rule.check(seats)
    return fixed(Votes.of(ballots, seats), remaining, rule)


def fixed(now: Votes, remaining: int, rule: Rule) -> bool:
    """Return whether the outcome is the same whatever some of the missing votes would say.

    Args:
        now: The votes so far.
        remaining: How many of the missing votes might still have come, 0 or more.
        rule: The rule and its settings.
    """
    if remaining <= 0:
        return True
    registered = RULES[rule.name]
    if registered.is_fixed is not None:
        return registered.is_fixed(now, rule)
    if not registered.counts_only:
        return False
    return _fixed_by_counts(now.unsafe, now.safe, now.seats, remaining, rule, registered)


@lru_cache(_KEPT)
def _fixed_by_counts(
    unsafe: int, safe: int, seats: int, remaining: int, rule: Rule, registered: RegisteredRule
) -> bool:
    outcome = decide_votes(Votes(unsafe, safe, seats), rule).finding
    return all(
        decide_votes(Votes(unsafe + more, safe + others, seats), rule).finding == outcome
        for more in range(remaining + 1)
        for others in range(remaining + 1 - more)
    )


def fewest_that_may_settle(ballots: Sequence[Ballot], remaining: int, rule: Rule) -> int:
    """Return how many more seats must at least be asked before the outcome can be fixed.

    Asking that many at once costs no call that asking one by one would save.

    Args:
        ballots: The ballots so far, at most one of each seat.
        remaining: Seats not asked yet, at least 1.
        rule: The rule and its settings.

    Returns:
        1 to `remaining`.
    """
    registered = RULES[rule.name]
    if registered.is_fixed is not None:
        return 1
    if not registered.counts_only:
        return remaining
    now = Votes.of(ballots, len(ballots) + remaining)
    return _fewest_by_counts(now.unsafe, now.safe, now.seats, remaining, rule, registered)


@lru_cache(_KEPT)
def _fewest_by_counts(
    unsafe: int, safe: int, seats: int, remaining: int, rule: Rule, registered: RegisteredRule
) -> int:
    for more in range(1, remaining):
        for votes in range(more + 1):
            counts = (unsafe + votes, safe + more - votes, seats, remaining - more)
            if _fixed_by_counts(*counts, rule, registered):
                return more
    return remaining
