"""Curtailed voting: stop asking once the outcome is fixed."""

from collections.abc import Sequence

from ...agents import Ballot
from ._aggregation import RULES, Rule, decide_votes
from ._votes import Votes


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
    outcome = decide_votes(now, rule).finding
    return all(
        decide_votes(Votes(now.unsafe + unsafe, now.safe + safe, now.seats), rule).finding
        == outcome
        for unsafe in range(remaining + 1)
        for safe in range(remaining + 1 - unsafe)
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
    for more in range(1, remaining):
        for unsafe in range(more + 1):
            votes = Votes(now.unsafe + unsafe, now.safe + more - unsafe, now.seats)
            if fixed(votes, remaining - more, rule):
                return more
    return remaining
