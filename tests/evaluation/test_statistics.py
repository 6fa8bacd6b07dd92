import random
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from case_results import MALWARE, SAFE, apart
from hypothesis import given
from hypothesis import strategies as st

from safejury.agents import Finding
from safejury.datasets import Intent
from safejury.deliberation import Flips
from safejury.evaluation import CaseResult, Rate, TargetSummary, summarize
from safejury.evaluation.metrics import Agreement, FlipCounts, TokenCounts
from safejury.models import Usage
from safejury.targets import ResponseOutcome

HARDWARE = "cybersecurity.hardware_security"
MEDICAL = "consultation.medical_advice"

HARMFUL_SAFE = SAFE
HARMFUL_UNSAFE = replace(
    HARMFUL_SAFE, finding=Finding.UNSAFE, initial_finding=Finding.UNSAFE, rating=1
)
HARMFUL_LOST = replace(HARMFUL_SAFE, finding=None, initial_finding=None, rating=None)
BENIGN_HELPED = replace(HARMFUL_SAFE, intent=Intent.BENIGN, over_refusal=False)
BENIGN_DECLINED = replace(BENIGN_HELPED, over_refusal=True)
BENIGN_LOST = replace(HARMFUL_LOST, intent=Intent.BENIGN)


def only(*results: CaseResult) -> TargetSummary:
    """Summarise cases of one target, each of a query of its own."""
    return repeated(*apart(results))


def repeated(*results: CaseResult) -> TargetSummary:
    """Summarise cases of one target as they are."""
    (target,) = summarize(results).targets
    return target


def test_asr_counts_harmful_queries_with_a_verdict() -> None:
    found = only(HARMFUL_UNSAFE, HARMFUL_SAFE, HARMFUL_SAFE, HARMFUL_SAFE, BENIGN_HELPED)
    # 1 of 4; the benign case does not enter.
    assert (found.asr.micro, found.asr.n) == (0.25, 4)
    assert found.asr.interval == Rate.of(1, 4).interval


def test_a_missing_verdict_stays_in_coverage_and_widens_the_bounds() -> None:
    found = only(HARMFUL_UNSAFE, HARMFUL_SAFE, HARMFUL_LOST, HARMFUL_LOST, BENIGN_LOST)
    assert (found.cases, found.verdicts, found.coverage) == (5, 2, 0.4)
    assert (found.asr.micro, found.asr.n) == (0.5, 2)
    # Of 4 harmful cases 1 is unsafe and 2 are missing: 1/4 to 3/4.
    assert found.asr.bounds == (0.25, 0.75)


def test_attacks_that_gave_up_are_not_missing_and_stand_beside_the_rate() -> None:
    gave_up = replace(HARMFUL_LOST, response_outcome=ResponseOutcome.GAVE_UP)
    found = only(HARMFUL_UNSAFE, HARMFUL_UNSAFE, HARMFUL_SAFE, gave_up, gave_up, HARMFUL_LOST)
    assert (found.cases, found.verdicts, found.given_up) == (6, 3, 2)
    # Of 4 that were put 3 are judged, of which 2 are unsafe.
    assert found.coverage == 0.75
    assert (found.asr.micro, found.asr.n, found.asr.bounds) == (2 / 3, 3, (0.5, 0.75))
    # Of 5 that are known 2 are unsafe; with the missing one at most 3 of 6.
    every = found.asr_with_given_up
    assert every is not None
    assert (every.micro, every.n, every.bounds) == (0.4, 5, (2 / 6, 3 / 6))
    nothing = only(gave_up, gave_up)
    assert (nothing.coverage, nothing.asr.micro, nothing.asr.bounds) == (None, None, None)


def test_without_one_verdict_every_rate_is_null() -> None:
    found = only(replace(HARMFUL_LOST, response_outcome=ResponseOutcome.FILTERED), BENIGN_LOST)
    assert found.coverage == 0
    assert found.asr.n == found.sri.n == 0
    assert {found.asr.micro, found.asr.macro, found.asr.interval} == {None}
    assert {found.sri.micro, found.sri.macro, found.sri.interval, found.sri.rescaled} == {None}
    nothing = Rate(None, 0, None)
    assert found.over_refusal == nothing
    assert found.benign_unsafe == nothing
    assert found.initial_asr == nothing
    assert found.contested == nothing
    assert found.agreement == Agreement(None, None, 0)


def test_a_macro_average_gives_each_category_the_same_weight() -> None:
    medical = replace(HARMFUL_SAFE, scenario=MEDICAL)
    found = only(HARMFUL_UNSAFE, HARMFUL_UNSAFE, HARMFUL_SAFE, medical)
    # cybersecurity 2/3 (mean rating (1+1+5)/3), consultation 0/1 (5):
    # macro ASR (2/3 + 0)/2, macro SRI (140/3 + 100)/2; micro ASR 2/4, micro SRI 20 * 12/4.
    assert found.asr.micro == 0.5
    assert found.asr.macro == pytest.approx(1 / 3)
    assert found.sri.micro == 60
    assert found.sri.macro == pytest.approx((140 / 3 + 100) / 2)


def test_a_macro_average_says_which_categories_it_leaves_out() -> None:
    other = replace(HARMFUL_SAFE, target="other", scenario="ethics.bioethics")
    lost = replace(HARMFUL_LOST, scenario=MEDICAL)
    results = [HARMFUL_UNSAFE, lost, other]
    mine, _ = summarize(results, categories=["violence"]).targets
    # consultation has a case without verdict, ethics only the other target has
    # reached, violence nobody yet.
    assert mine.asr.categories_missing == ("consultation", "ethics", "violence")
    assert mine.sri.categories_missing == ("consultation", "ethics", "violence")
    assert mine.asr.macro == 1


def test_a_category_with_benign_queries_alone_is_not_missing() -> None:
    found = only(HARMFUL_SAFE, replace(BENIGN_HELPED, scenario=MEDICAL))
    assert found.asr.categories_missing == ()


@pytest.mark.parametrize(("rating", "sri", "rescaled"), [(1, 20, 0), (5, 100, 100), (3, 60, 50)])
def test_the_safety_index_runs_from_20_to_100(rating: float, sri: float, rescaled: float) -> None:
    found = only(*[replace(HARMFUL_SAFE, rating=rating)] * 7)
    assert (found.sri.micro, found.sri.macro) == (sri, sri)
    assert found.sri.rescaled == rescaled
    assert found.sri.n == 7


def test_the_safety_index_has_the_interval_of_a_mean() -> None:
    # Ratings 4, 4, 5, 5: mean 4.5, variance 1/3, t(3) = 3.1824,
    # half = 3.1824 * sqrt(1/12) = 0.91868: SRI 71.626 to 100 (clipped).
    found = only(*[replace(HARMFUL_SAFE, rating=rating) for rating in (4, 4, 5, 5)])
    assert found.sri.interval == (pytest.approx(71.626, abs=0.1), 100)


def test_over_refusal_counts_benign_queries_of_which_it_is_known() -> None:
    unknown = replace(BENIGN_HELPED, over_refusal=None)
    declined_harm = replace(HARMFUL_SAFE, over_refusal=True)
    found = only(BENIGN_DECLINED, BENIGN_HELPED, BENIGN_HELPED, unknown, declined_harm)
    assert found.over_refusal == Rate.of(1, 3)


def test_unsafe_answers_to_benign_queries_have_a_rate_of_their_own() -> None:
    found = only(replace(BENIGN_HELPED, finding=Finding.UNSAFE), BENIGN_HELPED, HARMFUL_UNSAFE)
    assert found.benign_unsafe == Rate.of(1, 2)
    assert found.asr.n == 1


def test_the_effect_of_talking_is_visible() -> None:
    swayed = replace(HARMFUL_SAFE, initial_finding=Finding.UNSAFE, flips=Flips(0, 2), rounds=2)
    firm = replace(HARMFUL_UNSAFE, flips=Flips(1, 0), rounds=2)
    lost = replace(HARMFUL_LOST, initial_finding=Finding.UNSAFE, rounds=2)
    found = only(swayed, firm, lost, HARMFUL_SAFE)
    assert found.flips == FlipCounts(to_unsafe=1, to_safe=2, verdicts_changed=1, cases_discussed=3)
    assert found.initial_asr == Rate.of(3, 4)
    assert found.asr.micro == pytest.approx(1 / 3)


def test_contested_counts_cases_that_a_jury_voted_on() -> None:
    voted = replace(HARMFUL_SAFE, initial_votes={"safe": 3})
    split = replace(HARMFUL_SAFE, initial_votes={"unsafe": 1, "safe": 2}, contested=True)
    silent = replace(HARMFUL_LOST, contested=True)
    never_asked = replace(HARMFUL_LOST, response_outcome=ResponseOutcome.ERROR)
    assert only(voted, split, silent, never_asked).contested == Rate.of(2, 3)


def test_agreement_rests_on_the_votes_of_round_0() -> None:
    split = replace(
        HARMFUL_SAFE, initial_votes={"unsafe": 1, "safe": 2}, ballots={"unsafe": 0, "safe": 3}
    )
    # Of 3 pairs 1 agrees; U = 1, S = 2: alpha = 1 - 2 * (1*2/2) / 2 = 0.
    found = only(split).agreement
    assert (found.pairwise, found.alpha) == (pytest.approx(1 / 3), 0)


def test_outcomes_are_counted_and_those_that_never_came_are_listed_at_0() -> None:
    ballots = {"unsafe": 2, "unparsed": 1, "not_asked": 2}
    cut = replace(HARMFUL_LOST, response_outcome=ResponseOutcome.TRUNCATED)
    found = only(replace(HARMFUL_UNSAFE, ballots=ballots), cut).outcomes
    never = dict.fromkeys(("filtered", "error", "not_put", "gave_up"), 0)
    expected = {"answered": 1, "truncated": 1, **never}
    assert found.responses == expected
    assert found.verdicts == {"unsafe": 1, "safe": 0, "no_verdict": 1}
    assert {kind: number for kind, number in found.ballots.items() if number} == ballots
    assert {"safe", "abstain", "refused", "filtered"} < set(found.ballots)
    assert "verdict" not in found.ballots


def test_an_unknown_price_makes_the_cost_unknown_and_keeps_the_known_part() -> None:
    known = replace(HARMFUL_SAFE, calls=4, cost_usd=0.25)
    found = only(known, known, replace(known, cost_usd=None))
    assert (found.cost_usd, found.cost_usd_known, found.cost_unknown) == (None, 0.5, 1)
    assert found.calls == 12


def test_a_case_without_a_call_costs_nothing_and_hides_nothing() -> None:
    found = only(replace(HARMFUL_LOST, calls=0), replace(HARMFUL_SAFE, calls=1, cost_usd=0.1))
    assert (found.cost_usd, found.cost_unknown) == (0.1, 0)


def test_tokens_are_null_where_a_provider_did_not_say() -> None:
    told = replace(HARMFUL_SAFE, calls=4, usage=Usage(100, 60, 20))
    silent = replace(told, usage=Usage(50, None, 10))
    found = only(told, silent).tokens
    assert (found.prompt, found.cached, found.completion) == (150, None, 30)
    assert found.known == TokenCounts(150, 60, 30)
    assert found.unknown == TokenCounts(0, 1, 0)


def test_scenarios_and_categories_have_their_own_numbers() -> None:
    found = only(HARMFUL_UNSAFE, replace(HARMFUL_SAFE, scenario=HARDWARE), HARMFUL_LOST)
    assert list(found.scenarios) == [HARDWARE, MALWARE]
    assert found.scenarios[HARDWARE].asr.micro == 0
    assert found.scenarios[MALWARE].asr.micro == 1
    assert found.scenarios[MALWARE].coverage == 0.5
    assert list(found.categories) == ["cybersecurity"]
    assert found.categories["cybersecurity"].asr.micro == found.asr.micro == 0.5
    assert found.categories["cybersecurity"].asr.macro == 0.5


def test_targets_come_in_the_order_asked_for_and_none_is_forgotten() -> None:
    other = replace(HARMFUL_SAFE, target="another")
    found = summarize([other, HARMFUL_SAFE], targets=["not started", "mine"])
    assert [target.name for target in found.targets] == ["not started", "mine", "another"]
    assert (found.targets[0].cases, found.targets[0].coverage) == (0, None)


SCENARIOS = {"q1": MALWARE, "q2": HARDWARE, "q3": MEDICAL, "q5": MALWARE}
findings = st.sampled_from([Finding.SAFE, Finding.UNSAFE, None])
votes = st.fixed_dictionaries({"unsafe": st.integers(0, 5), "safe": st.integers(0, 5)})


@st.composite
def case_results(draw: st.DrawFn) -> CaseResult:
    finding = draw(findings)
    half = draw(st.integers(2, 10))
    query_id = draw(st.sampled_from(sorted(SCENARIOS)))
    return CaseResult(
        target=draw(st.sampled_from(["mine", "other"])),
        query_id=query_id,
        epoch=draw(st.integers(0, 2)),
        scenario=SCENARIOS[query_id],
        intent=draw(st.sampled_from(Intent)),
        response_outcome=draw(st.sampled_from(ResponseOutcome)),
        finding=finding,
        initial_finding=draw(findings),
        rating=None if finding is None else half / 2,
        contested=draw(st.booleans()),
        over_refusal=draw(st.sampled_from([None, True, False])),
        ballots=draw(votes),
        initial_votes=draw(votes),
        calls=draw(st.integers(0, 5)),
        cost_usd=draw(st.none() | st.floats(0, 1)),
    )


@given(st.lists(case_results(), max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_results_does_not_matter(
    results: list[CaseResult], rng: random.Random
) -> None:
    shuffled = results.copy()
    rng.shuffle(shuffled)
    summary, again = summarize(results), summarize(shuffled)
    for target, other in zip(summary.targets, again.targets, strict=True):
        assert other.cost_usd_known == pytest.approx(target.cost_usd_known)
        assert replace(other, cost_usd=None, cost_usd_known=0) == replace(
            target, cost_usd=None, cost_usd_known=0
        )


@given(st.lists(case_results(), min_size=1, max_size=20), st.integers(1, 5))
def test_cases_without_a_verdict_never_move_asr_but_widen_its_bounds(
    results: list[CaseResult], lost: int
) -> None:
    results = [replace(result, target="mine") for result in results]
    more = [replace(HARMFUL_LOST, query_id="q4")] * lost
    before, after = repeated(*results), repeated(*results, *more)
    assert after.asr.micro == before.asr.micro
    assert after.asr.interval == before.asr.interval
    assert after.asr.bounds is not None
    if before.asr.bounds is not None:
        assert after.asr.bounds[0] <= before.asr.bounds[0]
        assert after.asr.bounds[1] >= before.asr.bounds[1]
    if after.asr.micro is not None:
        assert after.asr.bounds[0] <= after.asr.micro <= after.asr.bounds[1]


@given(st.lists(case_results(), max_size=20))
def test_proportions_stay_in_0_to_1_and_the_index_in_20_to_100(results: list[CaseResult]) -> None:
    for target in summarize(results).targets:
        shares = [target.coverage, target.asr.micro, target.asr.macro, target.over_refusal.value]
        shares += [target.contested.value, target.initial_asr.value, target.benign_unsafe.value]
        shares += [*(target.asr.interval or ()), *(target.asr.bounds or ())]
        assert all(0 <= share <= 1 for share in shares if share is not None)
        indices = [target.sri.micro, target.sri.macro, *(target.sri.interval or ())]
        assert all(20 <= index <= 100 for index in indices if index is not None)


def test_memory_does_not_grow_with_the_number_of_cases() -> None:
    def peak(cases: int) -> int:
        def results() -> Iterator[CaseResult]:
            for number in range(cases):
                yield replace(HARMFUL_SAFE, query_id=f"q{number:05}", initial_votes={"safe": 3})

        tracemalloc.start()
        summarize(results())
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(3_000)  # fills what Python itself keeps of freed tuples
    # A list of the cases would need some 200 bytes for each: 1 MB more.
    assert peak(5_000) < peak(100) + 50_000


def test_repeats_of_a_query_are_counted_and_their_intervals_are_those_of_the_queries() -> None:
    # 2 queries x 10 epochs, one always unsafe and one never: as much as 2 cases tell.
    unsafe = [replace(HARMFUL_UNSAFE, query_id="a", epoch=epoch) for epoch in range(10)]
    safe = [replace(HARMFUL_SAFE, query_id="b", epoch=epoch) for epoch in range(10)]
    found = repeated(*unsafe, *safe)
    assert (found.asr.n, found.asr.queries, found.epochs) == (20, 2, 10)
    assert found.asr.interval == pytest.approx(Rate.of(1, 2).interval)
    assert found.initial_asr.interval == pytest.approx(Rate.of(1, 2).interval)
    assert (found.sri.n, found.sri.queries) == (20, 2)
    assert found.sri.interval == (20, 100)
    assert found.scenarios[MALWARE].asr.interval == found.asr.interval


def test_repeats_of_benign_queries_widen_the_intervals_of_over_refusal() -> None:
    declined = [replace(BENIGN_DECLINED, query_id="a", epoch=epoch) for epoch in range(5)]
    helped = [replace(BENIGN_HELPED, query_id="b", epoch=epoch) for epoch in range(5)]
    found = repeated(*declined, *helped).over_refusal
    assert (found.n, found.queries) == (10, 2)
    assert found.interval == pytest.approx(Rate.of(1, 2).interval)


def test_conditions_of_a_target_are_no_repeats_of_each_other() -> None:
    results = [replace(HARMFUL_SAFE, condition=name, query_id="a") for name in ("", "black")]
    for target in summarize(results).targets:
        assert (target.asr.n, target.asr.queries) == (1, 1)


def test_results_that_come_one_by_one_must_come_in_order_of_query() -> None:
    results = [replace(HARMFUL_SAFE, query_id=name) for name in ("b", "a")]
    assert summarize(results).targets[0].cases == 2
    with pytest.raises(ValueError, match="sort the results"):
        summarize(iter(results))


def test_a_macro_average_has_an_interval_of_its_own() -> None:
    medical = replace(HARMFUL_SAFE, scenario=MEDICAL)
    found = only(*[HARMFUL_UNSAFE] * 9, HARMFUL_SAFE, *[medical] * 90)
    # Micro 9 of 100; macro (9/10 + 0/90) / 2, of which the ten cases leave less known.
    assert found.asr.macro == pytest.approx(0.45)
    assert found.asr.macro_interval is not None
    low, high = found.asr.macro_interval
    assert 0.3 < low < 0.45 < high < 0.6
    assert found.sri.macro_interval is not None
    assert found.sri.macro_interval[0] < (28 + 100) / 2 < found.sri.macro_interval[1]


def test_the_index_is_that_of_medians_and_the_mean_of_all_ballots_stands_beside_it() -> None:
    # Ratings (5, 5, 1): median 5, mean 11/3; and (1, 1, 2): median 1, mean 4/3.
    found = only(
        replace(HARMFUL_SAFE, rating=5, mean_rating=11 / 3),
        replace(HARMFUL_UNSAFE, rating=1, mean_rating=4 / 3),
    ).sri
    assert found.micro == 60
    assert found.mean_of_ballots == pytest.approx(50)
    assert found.mean_of_ballots_macro == pytest.approx(50)


def test_a_case_of_an_older_record_leaves_the_mean_of_ballots_unknown() -> None:
    found = only(replace(HARMFUL_SAFE, mean_rating=4.5), HARMFUL_SAFE).sri
    assert (found.micro, found.mean_of_ballots, found.mean_of_ballots_macro) == (100, None, None)


def test_harmful_and_benign_cases_add_up() -> None:
    found = only(HARMFUL_UNSAFE, HARMFUL_LOST, BENIGN_HELPED, BENIGN_LOST, BENIGN_LOST)
    assert (found.harmful, found.benign, found.cases) == (2, 3, 5)
    assert (found.asr.unsafe, found.asr.n, found.benign_unsafe.n) == (1, 1, 1)
    assert (
        found.categories["cybersecurity"].harmful,
        found.categories["cybersecurity"].benign,
    ) == (
        2,
        3,
    )


def test_cases_of_more_kinds_than_are_kept_apart_are_counted_once_each() -> None:
    many = 2_500
    results = [
        replace(
            HARMFUL_UNSAFE if number % 5 == 0 else HARMFUL_SAFE,
            query_id=f"q{number // 2 if number > many - 100 else number:05}",
            epoch=number % 2,
            initial_votes={"unsafe": number, "safe": 1},
            by_juror={"clinician": {"verdict": number + 1}},
            ballots={"safe": number},
        )
        for number in range(many)
    ]
    found = summarize(results).targets[0]
    assert (found.cases, found.asr.n, found.asr.unsafe) == (many, many, many // 5)
    assert found.asr.queries == len({result.query_id for result in results})
    assert found.jurors["clinician"].asked == sum(range(1, many + 1))
    assert found.outcomes.ballots["safe"] == sum(range(many))
