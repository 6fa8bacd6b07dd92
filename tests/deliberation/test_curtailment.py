"""Voting may stop early only where no ballot to come could change the outcome."""

from collections.abc import Sequence
from itertools import product
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safejury.agents import Ballot, BallotOutcome, Finding
from safejury.deliberation import RULES, Decision, Rule, Tie, Votes, aggregation, decide, settled

Said = Finding | None


def ballot(seat: int, said: Said) -> Ballot:
    if said is None:
        return Ballot(f"seat-{seat}", 0, BallotOutcome.ABSTAIN)
    return Ballot(f"seat-{seat}", 0, BallotOutcome.VERDICT, said, 3)


def round_of(said: Sequence[Said]) -> list[Ballot]:
    return [ballot(seat, what) for seat, what in enumerate(said)]


def completions(said: Sequence[Said], remaining: int) -> list[list[Ballot]]:
    return [round_of([*said, *rest]) for rest in product([*Finding, None], repeat=remaining)]


anything = st.lists(st.sampled_from([*Finding, None]), max_size=4)


@settings(deadline=None)
@given(anything, st.integers(0, 4), st.sampled_from(["majority", "any", "k_of_n"]), st.data())
def test_curtailment_agrees_with_trying_every_completion(
    said: list[Said], remaining: int, name: str, data: st.DataObject
) -> None:
    seats = len(said) + remaining
    if seats == 0:
        return
    rule = Rule(
        name, k=data.draw(st.integers(1, seats)), tie=data.draw(st.sampled_from(get_args(Tie)))
    )
    outcomes = {decide(full, rule, seats=seats).finding for full in completions(said, remaining)}
    assert settled(round_of(said), remaining, rule) == (len(outcomes) == 1)


def test_three_equal_votes_of_five_settle_a_majority() -> None:
    assert settled(round_of([Finding.SAFE] * 3), 2, Rule())
    assert not settled(round_of([Finding.SAFE] * 2), 3, Rule())


def test_no_verdict_can_be_settled_too() -> None:
    # 2 votes are left of 5, and 3 of a kind can no longer come together.
    assert settled(round_of([None, None, None]), 2, Rule())


def test_a_rule_that_reads_more_than_counts_asks_every_seat() -> None:
    def most_severe(votes: Votes, rule: Rule) -> Decision:
        worst = min((b.rating or 5 for b in votes.ballots), default=5)
        return Decision(Finding.UNSAFE if worst == 1 else Finding.SAFE)

    aggregation("most_severe")(most_severe)
    try:
        assert not settled(round_of([Finding.SAFE] * 4), 1, Rule("most_severe"))
        assert settled(round_of([Finding.SAFE] * 5), 0, Rule("most_severe"))
    finally:
        del RULES["most_severe"]


@pytest.mark.parametrize("tie", get_args(Tie))
def test_a_tie_policy_counts_when_the_last_vote_is_out(tie: Tie) -> None:
    # 2 safe and 1 unsafe of 4: the last vote decides between safe, a tie, and neither.
    said = round_of([Finding.SAFE, Finding.SAFE, Finding.UNSAFE])
    assert not settled(said, 1, Rule(tie=tie))
