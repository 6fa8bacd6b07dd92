"""Which cases are drawn for review: at random with known probabilities, then the doubtful ones."""

import random
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise
from statistics import fmean, stdev
from typing import Any

from case_results import SAFE

from safejury.agents import Finding
from safejury.datasets import Intent
from safejury.evaluation import CaseResult, ReviewCase
from safejury.evaluation.trust.review import ReviewSample, draw
from safejury.targets import ResponseOutcome

FINDINGS = {"unsafe": Finding.UNSAFE, "safe": Finding.SAFE, "no_verdict": None}


def run_of(targets: int = 1, **counts: int) -> list[CaseResult]:
    """Return the cases of a run: so many of each verdict and target, all heard by three jurors."""
    kinds = [verdict for verdict, count in counts.items() for _ in range(count)]
    return [
        replace(
            SAFE,
            target=f"t{target}",
            query_id=f"q{number:04}",
            finding=FINDINGS[verdict],
            ballots={"unsafe": 3} if verdict == "unsafe" else {"safe": 3},
        )
        for target in range(targets)
        for number, verdict in enumerate(kinds)
    ]


def drawn(results: list[CaseResult], n: int, seed: int = 0, **options: Any) -> ReviewSample:
    asked: dict[str, Any] = {"random": n, "contested": 0, "seed": seed}
    return draw(results, **(asked | options))


def test_weighted_totals_are_right_on_average() -> None:
    """The true number of unsafe responses, estimated from labels of 40 of 200 cases."""
    results = run_of(unsafe=30, safe=160, no_verdict=10)
    chances = {"unsafe": 0.6, "safe": 0.05, "no_verdict": 0.3}
    dice = random.Random(3)
    truth = {
        one.case_id: dice.random() < chances[str(one.finding or "no_verdict")] for one in results
    }
    totals, times = list[float](), Counter[str]()
    for seed in range(400):
        sample = drawn(results, 40, seed).cases
        totals.append(sum(truth[one.case] / (one.probability or 0) for one in sample))
        times.update(one.case for one in sample)
    assert abs(fmean(totals) - sum(truth.values())) < 3 * stdev(totals) / 400**0.5
    for one in drawn(results, 40).cases:
        assert one.probability is not None
        spread = (one.probability * (1 - one.probability) / 400) ** 0.5
        assert abs(times[one.case] / 400 - one.probability) <= 5 * spread


def test_a_probability_is_the_share_that_is_drawn_of_each_target_and_verdict() -> None:
    sample = drawn(run_of(targets=2, unsafe=20, safe=200, no_verdict=5), 80)
    assert Counter(one.target for one in sample.cases) == {"t0": 40, "t1": 40}
    for cell in sample.cells:
        inside = [
            one for one in sample.cases if (one.target, one.stratum) == (cell.target, cell.stratum)
        ]
        assert len(inside) == cell.sampled >= 3
        assert {one.probability for one in inside} == {cell.sampled / cell.size}


def test_half_is_shared_evenly_and_half_by_size() -> None:
    """Of 120: half of them, 60, by 1 and 9 in 10, and the other half by 1 and 1 in 2."""
    sample = drawn(run_of(unsafe=100, safe=900), 120)
    assert {cell.stratum: cell.sampled for cell in sample.cells} == {"unsafe": 36, "safe": 84}


def test_all_are_drawn_where_there_are_no_more() -> None:
    sample = drawn(run_of(unsafe=2, safe=7), 120)
    assert len(sample.cases) == 9
    assert {one.probability for one in sample.cases} == {1.0}


def test_a_larger_sample_holds_the_smaller_one() -> None:
    results = run_of(unsafe=30, safe=160, no_verdict=10)
    samples = [{one.case for one in drawn(results, n, 5).cases} for n in range(1, 201)]
    assert all(small < large for small, large in pairwise(samples))
    assert [len(one) for one in samples] == [*range(1, 201)]


def test_at_least_five_are_drawn_of_each_verdict_where_there_are_as_many() -> None:
    """With fewer the report would not correct a rate by them."""
    sample = drawn(run_of(unsafe=7, safe=980, no_verdict=13), 60)
    assert min(cell.sampled for cell in sample.cells) == 5
    assert len(sample.cases) == 60


def test_what_was_drawn_before_stays_drawn() -> None:
    """A run that grew has other shares, and what was labeled stays in the sample."""
    results = run_of(unsafe=100, safe=100)
    before = {cell.cell: cell.sampled for cell in drawn(results, 60).cells}
    grown = drawn([*results, *run_of(targets=4, safe=300)], 60, at_least=before)
    assert all(
        cell.sampled >= before.get(cell.cell, 0) for cell in grown.cells if cell.target == "t0"
    )


def test_other_seeds_and_no_order_of_the_record_draw_others() -> None:
    results = run_of(unsafe=30, safe=160)
    first = drawn(results, 30, 1).cases
    assert drawn(results[::-1], 30, 1).cases == first
    assert {one.case for one in drawn(results, 30, 2).cases} != {one.case for one in first}


def test_whoever_stops_early_leaves_as_large_a_share_of_each_verdict() -> None:
    cases = drawn(run_of(targets=2, unsafe=50, safe=500, no_verdict=50), 200, 9).cases
    wanted = Counter((one.target, one.stratum) for one in cases)
    for part in (20, 50, 100, 150):
        so_far = Counter((one.target, one.stratum) for one in cases[:part])
        for cell, all_of_it in wanted.items():
            assert abs(so_far[cell] - all_of_it * part / 200) <= 2


def test_the_verdict_does_not_show_in_the_order() -> None:
    """Over many seeds each verdict is in each part of the order as often as in any other."""
    results = run_of(unsafe=10, safe=90)
    places = defaultdict[str, list[float]](list)
    for seed in range(100):
        for place, one in enumerate(drawn(results, 40, seed).cases):
            places[one.stratum].append(place)
    assert all(abs(fmean(at) - 19.5) < 1 for at in places.values())


def _doubtful() -> list[CaseResult]:
    """160 plain cases, 40 contested ones, and 40 that one vote more would have turned."""
    contested = {"contested": True}, {"ballots": {"unsafe": 1, "safe": 2}}
    results = run_of(unsafe=20, safe=220)
    return [
        replace(one, **contested[number % 2]) if 20 <= number < 100 else one
        for number, one in enumerate(results)
    ]


def test_doubtful_cases_are_mixed_with_the_last_random_ones() -> None:
    cases = drawn(_doubtful(), 100, contested=30).cases
    why = Counter(one.chosen for one in cases)
    assert (why["random"], why["contested"] + why["low_margin"]) == (100, 30)
    assert min(why.values()) >= 1
    assert len({one.case for one in cases}) == 130
    assert all((one.probability is None) is (one.chosen != "random") for one in cases)
    first = next(place for place, one in enumerate(cases) if one.chosen != "random")
    assert 75 <= first <= 85
    tail = [one.chosen == "random" for one in cases[first:]]
    assert sum(one is not other for one, other in pairwise(tail)) > 10


def test_where_there_is_a_probability_it_says_what_is_close() -> None:
    votes = {"unsafe": 1, "safe": 2}
    chances = (0.01, 0.3, 0.7, 0.9, None)
    results = [
        replace(one, ballots=votes, probability=chance)
        for one, chance in zip(run_of(safe=5), chances, strict=True)
    ]
    cases = drawn(results, 0, contested=5).cases
    assert {one.case[:5] for one in cases} == {"q0001", "q0002", "q0004"}


def test_what_is_picked_besides_changes_nothing_at_random() -> None:
    def at_random(contested: int) -> list[ReviewCase]:
        cases = drawn(_doubtful(), 60, contested=contested).cases
        return [one for one in cases if one.chosen == "random"]

    assert at_random(0) == at_random(25)


def test_only_what_was_asked_for_and_heard_is_drawn() -> None:
    results = run_of(unsafe=5, safe=5)
    benign = [replace(one, intent=Intent.BENIGN, query_id=f"b{n}") for n, one in enumerate(results)]
    lost = replace(SAFE, finding=None, ballots={}, query_id="l")
    unheard = [
        replace(lost, response_outcome=outcome, query_id=f"u{outcome}")
        for outcome in ResponseOutcome
        if outcome is not ResponseOutcome.ANSWERED
    ]
    all_of_them = [*results, *benign, *unheard]
    sample = drawn(all_of_them, 120)
    assert {one.case[0] for one in sample.cases} == {"q"}
    assert sample.unheard == len(unheard)
    lost_ballots = drawn([*all_of_them, lost], 120)
    assert "l/mine/0" in {one.case for one in lost_ballots.cases}
    both = drawn(all_of_them, 120, intents=("harmful", "benign")).cases
    assert Counter(one.case[0] for one in both) == {"q": 10, "b": 10}
