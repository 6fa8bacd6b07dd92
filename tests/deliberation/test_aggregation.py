"""What a user may rely on when ballots become a verdict."""

from dataclasses import replace
from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safejury.agents import Ballot, BallotOutcome, Finding, Perceived
from safejury.common import ConfigurationError
from safejury.deliberation import (
    RULES,
    CallTotals,
    Decision,
    Flips,
    Rule,
    Tie,
    Votes,
    aggregation,
    build_verdict,
    contested,
    decide,
    register_rule,
)
from safejury.models import Usage

UNSAFE, SAFE = Finding.UNSAFE, Finding.SAFE
NON_VOTES = [outcome for outcome in BallotOutcome if outcome is not BallotOutcome.VERDICT]


def vote(juror: str, finding: Finding, rating: int | None = None, number: int = 0) -> Ballot:
    likely = 1 if finding is UNSAFE else 5
    rating = rating or likely
    return Ballot(juror, number, BallotOutcome.VERDICT, finding, rating, reason="because")


def no_vote(juror: str, outcome: BallotOutcome = BallotOutcome.UNPARSED) -> Ballot:
    return Ballot(juror, 0, outcome, detail="nothing to read")


def jury_of(unsafe: int = 0, safe: int = 0, missing: int = 0) -> list[Ballot]:
    said = [UNSAFE] * unsafe + [SAFE] * safe
    votes = [vote(f"juror-{i}", finding) for i, finding in enumerate(said)]
    return votes + [no_vote(f"silent-{i}") for i in range(missing)]


@st.composite
def ballots(draw: st.DrawFn, smallest: int = 1) -> list[Ballot]:
    """A round of any jury of up to 7 seats, in any mixture of outcomes."""
    kinds = draw(
        st.lists(st.sampled_from([UNSAFE, SAFE, *NON_VOTES]), min_size=smallest, max_size=7)
    )
    made: list[Ballot] = []
    for i, kind in enumerate(kinds):
        if isinstance(kind, Finding):
            made.append(vote(f"juror-{i}", kind, draw(st.integers(1, 5))))
        else:
            made.append(no_vote(f"juror-{i}", kind))
    return made


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Any bundled rule that fits any jury."""
    name = draw(st.sampled_from(["majority", "any", "k_of_n"]))
    return Rule(name, k=1, tie=draw(st.sampled_from(get_args(Tie))))


@pytest.mark.parametrize(
    ("unsafe", "safe", "missing", "finding"),
    [
        (2, 0, 1, UNSAFE),  # 2 > 1.5
        (1, 0, 2, None),
        (0, 2, 1, SAFE),
        (1, 1, 1, None),
        (3, 2, 0, UNSAFE),
        (2, 2, 1, None),  # not a tie: the missing vote could have broken it
        (0, 0, 3, None),
    ],
)
def test_majority_counts_missing_votes_in_the_denominator(
    unsafe: int, safe: int, missing: int, finding: Finding | None
) -> None:
    round_0 = jury_of(unsafe, safe, missing)
    assert decide(round_0, Rule(), seats=len(round_0)).finding == finding


def test_seats_that_were_never_asked_count_as_missing() -> None:
    assert decide(jury_of(unsafe=2), Rule(), seats=3).finding is UNSAFE
    assert decide(jury_of(unsafe=2), Rule(), seats=5).finding is None


@pytest.mark.parametrize(
    ("unsafe", "safe", "missing", "finding"),
    [(1, 4, 0, UNSAFE), (1, 0, 4, UNSAFE), (0, 5, 0, SAFE), (0, 4, 1, None)],
)
def test_any_needs_one_unsafe_vote_or_every_seat_safe(
    unsafe: int, safe: int, missing: int, finding: Finding | None
) -> None:
    assert decide(jury_of(unsafe, safe, missing), Rule("any"), seats=5).finding == finding


@pytest.mark.parametrize(
    ("unsafe", "safe", "missing", "finding"),
    [(2, 3, 0, UNSAFE), (1, 4, 0, SAFE), (1, 3, 1, None), (0, 4, 1, SAFE), (2, 0, 3, UNSAFE)],
)
def test_two_of_five(unsafe: int, safe: int, missing: int, finding: Finding | None) -> None:
    round_0 = jury_of(unsafe, safe, missing)
    assert decide(round_0, Rule("k_of_n", k=2), seats=5).finding == finding


@pytest.mark.parametrize(("tie", "finding"), [("unsafe", UNSAFE), ("safe", SAFE)])
def test_a_tie_is_broken_as_declared_and_says_so(tie: Tie, finding: Finding) -> None:
    decision = decide(jury_of(unsafe=2, safe=2), Rule(tie=tie), seats=4)
    assert decision.finding == finding
    assert "tie" in decision.reason


def test_a_tie_may_be_no_verdict() -> None:
    decision = decide(jury_of(unsafe=2, safe=2), Rule(tie="no_verdict"), seats=4)
    assert decision == Decision(
        None, "a tie (2 unsafe, 2 safe), which is no verdict by the tie policy"
    )


def test_a_missing_vote_makes_equal_counts_no_tie() -> None:
    even = jury_of(unsafe=1, safe=1, missing=2)
    assert decide(even, Rule(tie="unsafe"), seats=4).finding is None


@pytest.mark.parametrize(
    ("rule", "seats", "told"),
    [
        (Rule(), 4, "set jury.protocol.tie to"),
        (Rule("k_of_n"), 5, "set k between 1 and 5"),
        (Rule("k_of_n", k=6), 5, "set k between 1 and 5"),
        (
            Rule("plurality"),
            5,
            "best_juror, calibrated, foreperson, k_of_n, majority",
        ),
        (Rule(), 0, "at least one juror"),
    ],
)
def test_a_rule_that_does_not_fit_the_jury_says_what_to_do(
    rule: Rule, seats: int, told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        rule.check(seats)


def test_the_reason_that_a_function_gives_can_be_stored() -> None:
    name = register_rule(lambda votes, rule: Decision(SAFE, "half \ud800 of a pair"))
    try:
        decision = decide(jury_of(safe=1), Rule(name), seats=1)
    finally:
        del RULES[name]
    assert decision == Decision(SAFE, "half \ufffd of a pair")


def test_more_ballots_than_seats_is_refused() -> None:
    with pytest.raises(ValueError, match="3 ballots from 2 seats"):
        decide(jury_of(unsafe=3), Rule("any"), seats=2)


@given(ballots(), rules(), st.randoms())
def test_the_order_of_jurors_changes_nothing(
    round_0: list[Ballot], rule: Rule, random: Random
) -> None:
    shuffled = random.sample(round_0, len(round_0))
    ours = build_verdict([round_0], rule, seats=len(round_0))
    assert build_verdict([shuffled], rule, seats=len(round_0)) == ours
    assert contested(shuffled) == contested(round_0)


@given(ballots(), rules(), st.booleans())
def test_an_agreeing_vote_never_flips(
    round_0: list[Ballot], rule: Rule, fills_a_seat: bool
) -> None:
    seats = len(round_0) + fills_a_seat
    before = decide(round_0, rule, seats=seats)
    if before.finding is not None:
        more = [*round_0, vote("another", before.finding)]
        assert decide(more, rule, seats=len(more)).finding is before.finding


@given(ballots(), rules())
def test_an_outcome_other_than_verdict_is_never_a_vote(round_0: list[Ballot], rule: Rule) -> None:
    # Even with a finding left on it by mistake.
    loud = [b if b.is_vote else replace(b, finding=UNSAFE, rating=1) for b in round_0]
    silent = [b for b in round_0 if b.is_vote]
    ours = build_verdict([loud], rule, seats=len(round_0))
    theirs = build_verdict([silent], rule, seats=len(round_0))
    assert (ours.finding, ours.rating, ours.dissent) == (
        theirs.finding,
        theirs.rating,
        theirs.dissent,
    )


@given(ballots())
def test_the_tally_accounts_for_every_seat(round_0: list[Ballot]) -> None:
    verdict = build_verdict([round_0], Rule("any"), seats=len(round_0) + 2)
    assert sum(verdict.tally.values()) == len(round_0) + 2
    assert verdict.tally["not_asked"] == 2


def test_a_verdict_tells_ratings_dissent_flips_and_both_findings() -> None:
    first = [vote("a", UNSAFE, 2), vote("b", UNSAFE, 1), vote("c", SAFE, 4)]
    last = [vote("a", SAFE, 3), vote("b", UNSAFE, 2), vote("c", SAFE, 5)]
    verdict = build_verdict([first, last], Rule(), seats=3)
    assert (verdict.initial_finding, verdict.finding) == (UNSAFE, SAFE)
    # 2, 3 and 5: median 3, mean 10 / 3.
    assert (verdict.rating, verdict.mean_rating) == (3, pytest.approx(3.3333, abs=1e-3))
    assert verdict.dissent == ("b",)
    assert verdict.flips == Flips(to_unsafe=0, to_safe=1)
    assert (verdict.rounds, verdict.contested) == (2, True)


def test_losing_or_finding_a_vote_is_no_flip() -> None:
    first = [vote("a", UNSAFE), no_vote("b"), vote("c", SAFE)]
    last = [no_vote("a"), vote("b", SAFE), vote("c", SAFE)]
    assert build_verdict([first, last], Rule(), seats=3).flips == Flips()


FAILED, STOPPED = BallotOutcome.TRANSPORT_ERROR, BallotOutcome.BUDGET_STOP


@pytest.mark.parametrize("outcome", [FAILED, STOPPED])
def test_a_lost_revote_takes_nothing_back(outcome: BallotOutcome) -> None:
    first = [vote("a", UNSAFE, 2), vote("b", UNSAFE, 1), vote("c", SAFE, 4)]
    last = [vote("a", SAFE, 5), no_vote("b", outcome), no_vote("c", outcome)]
    verdict = build_verdict([first, last], Rule(), seats=3)
    assert (verdict.finding, verdict.revote_lost, verdict.rounds) == (UNSAFE, True, 2)
    assert verdict.reason == (
        f"ballots of the re-vote were lost (2 {outcome}): the finding of round 0 stands"
    )
    # All that is told beside the finding is told of the ballots that made it.
    assert (verdict.rating, verdict.tally) == (2, {"unsafe": 2, "safe": 1})
    assert (verdict.dissent, verdict.flips) == (("c",), Flips())
    assert verdict.by_juror["b"] == {"verdict": 1, str(outcome): 1}


@pytest.mark.parametrize(
    ("rule", "rounds", "finding", "stands"),
    [
        # It decides with what is left: a missing ballot, and the last word.
        (Rule(), ["uus", "ss-"], SAFE, False),
        # Nobody was lost: a re-vote that does not decide is no verdict.
        (Rule(), ["uus", "us?"], None, False),
        # What was lost could not have made a majority.
        (Rule(), ["uuuss", "us??-"], None, False),
        # Nothing to fall back to.
        (Rule(), ["us?", "us-"], None, False),
        # One lost vote may have been unsafe.
        (Rule("any"), ["sss", "ss-"], SAFE, True),
        # The last round that decided, and never past one that could not.
        (Rule(), ["uus", "ssu", "u--"], SAFE, True),
        (Rule(), ["uus", "us?", "u--"], None, False),
    ],
)
def test_which_round_stands_where_a_revote_was_lost(
    rule: Rule, rounds: list[str], finding: Finding | None, stands: bool
) -> None:
    """`u` and `s` are votes, `-` is a ballot lost, `?` one that could not be read."""
    kinds = {"-": FAILED, "?": BallotOutcome.UNPARSED}
    cast = [
        [
            no_vote(f"j{seat}", kinds[said])
            if said in kinds
            else vote(f"j{seat}", UNSAFE if said == "u" else SAFE)
            for seat, said in enumerate(said_in_round)
        ]
        for said_in_round in rounds
    ]
    verdict = build_verdict(cast, rule, seats=len(rounds[0]))
    assert (verdict.finding, verdict.revote_lost) == (finding, stands)


@pytest.mark.parametrize(
    ("said", "declined"),
    [
        ([True, True, False], True),
        ([False, None, None], False),
        ([True, False, None], None),
        ([None, None, None], None),
    ],
)
def test_declined_follows_most_votes_that_said_so(
    said: list[bool | None], declined: bool | None
) -> None:
    round_0 = [replace(vote(f"j{i}", SAFE), declined=value) for i, value in enumerate(said)]
    assert build_verdict([round_0], Rule(), seats=3).declined is declined


@pytest.mark.parametrize(
    ("round_0", "why"),
    [
        ([vote("a", SAFE, 4), vote("b", SAFE, 5)], None),
        ([vote("a", UNSAFE, 3), vote("b", SAFE, 4)], "findings differ"),
        ([vote("a", SAFE), no_vote("b")], "not a vote"),
        ([vote("a", SAFE, 3), vote("b", SAFE, 5)], "ratings reach from 3 to 5"),
        ([vote("a", UNSAFE, 4), vote("b", UNSAFE, 3)], "unsafe with 4"),
        ([vote("a", SAFE, 2), vote("b", SAFE, 3)], "safe with 2"),
    ],
)
def test_a_round_is_contested_for_a_reason(round_0: list[Ballot], why: str | None) -> None:
    told = contested(round_0)
    assert told is None if why is None else told is not None and why in told


def test_usage_and_cost_are_those_of_all_rounds_and_the_foreperson() -> None:
    rounds = [
        [
            replace(vote(j, SAFE, number=n), usage=Usage(10, 0, 1), cost_usd=0.5, calls=1)
            for j in "ab"
        ]
        for n in (0, 1)
    ]
    extra = CallTotals(Usage(100, 50, 7), 0.25, 1)
    verdict = build_verdict(rounds, Rule("any"), seats=2, extra=extra)
    assert verdict.usage == Usage(140, 50, 11)
    assert (verdict.cost_usd, verdict.calls) == (2.25, 5)


def test_one_unknown_price_makes_the_cost_unknown_and_not_zero() -> None:
    known = replace(vote("a", SAFE), cost_usd=0.5, calls=1)
    unknown = replace(vote("b", SAFE), cost_usd=None, calls=1)
    human = replace(vote("c", SAFE), cost_usd=None, calls=0)
    assert build_verdict([[known, unknown]], Rule("any"), seats=2).cost_usd is None
    assert build_verdict([[known, human]], Rule("any"), seats=2).cost_usd == 0.5


def test_a_rule_of_ones_own_is_one_function() -> None:
    def unanimous(votes: Votes, rule: Rule) -> Decision:
        return Decision(UNSAFE if votes.unsafe == votes.seats else None, "not unanimous")

    aggregation("unanimous")(unanimous)
    try:
        assert decide(jury_of(unsafe=3), Rule("unanimous"), seats=3).finding is UNSAFE
        assert decide(jury_of(unsafe=2, safe=1), Rule("unanimous"), seats=3).finding is None
    finally:
        del RULES["unanimous"]


def test_votes_are_counted_by_how_they_got_a_medium() -> None:
    seen = Perceived(images=("a1",), audio_sha256="b2")
    blind = Perceived(withheld=("image", "audio"))
    reading = Perceived(images=("a1",), transcript="the set", withheld=("audio",))
    last = [
        replace(vote("a", Finding.SAFE), perceived=seen),
        replace(vote("b", Finding.SAFE), perceived=blind),
        replace(vote("c", Finding.SAFE), perceived=reading),
        replace(no_vote("d"), perceived=blind),
    ]
    assert build_verdict([last], Rule("any"), seats=4).media == {
        "image": {"given": 2, "withheld": 1},
        "audio": {"given": 1, "withheld": 1, "transcript": 1},
    }
    assert build_verdict([[vote("a", Finding.SAFE)]], Rule(), seats=1).media == {}
