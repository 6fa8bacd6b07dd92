"""Intervals where a query has several cases, and where categories are averaged."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safejury.evaluation import wilson_interval
from safejury.evaluation.metrics import (
    Sums,
    macro_mean_interval,
    macro_share_interval,
    mean_interval,
    share_interval,
)
from safejury.testing import ScriptedServer, ballot

Interval = tuple[float, float] | None


def of(queries: Iterable[tuple[int, float]]) -> Sums:
    """Sum queries, each given as number of cases and sum of their values."""
    sums = Sums()
    for n, total in queries:
        sums.add(n, total)
    return sums


def test_cases_of_different_queries_have_wilsons_interval_to_the_last_digit() -> None:
    assert share_interval(of([(1, 1)] * 7 + [(1, 0)] * 23)) == wilson_interval(7 / 30, 30)


@pytest.mark.parametrize("unsafe", [0, 1, 2, 5])
def test_queries_that_always_end_alike_tell_no_more_than_one_case_of_each(unsafe: int) -> None:
    # 5 queries x 20 epochs: 100 cases, and as much knowledge as 5 of them hold.
    found = share_interval(of([(20, 20)] * unsafe + [(20, 0)] * (5 - unsafe)))
    assert found == pytest.approx(wilson_interval(unsafe / 5, 5))


def test_repeats_that_differ_as_much_as_queries_do_count_nearly_in_full() -> None:
    # 400 queries asked twice. Of independent cases at 1/2, 1/4 of the queries have none
    # unsafe, 1/2 have one and 1/4 two.
    sums = of([(2, 0)] * 100 + [(2, 1)] * 200 + [(2, 2)] * 100)
    assert 780 < sums.effective() <= 800


queries = st.integers(1, 20).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@given(st.lists(queries, min_size=1, max_size=20))
def test_repeats_never_narrow_an_interval_below_that_of_independent_cases(
    counted: list[tuple[int, int]],
) -> None:
    sums = of(counted)
    assert 1 <= sums.effective() <= sums.n
    found, share = share_interval(sums), sums.mean
    assert found is not None
    assert share is not None
    low, high = wilson_interval(share, sums.n)
    assert found[0] <= low + 1e-12
    assert found[1] >= high - 1e-12


def test_a_mean_of_repeated_ratings_rests_on_the_means_of_the_queries() -> None:
    # Means 2, 3, 4 of three queries x 5: s² = 1, and t(2) = 4.3027 as of three ratings.
    repeated = mean_interval(of([(5, 10), (5, 15), (5, 20)]), low=-100, high=100)
    assert repeated == pytest.approx((3 - 2.4841, 3 + 2.4841), abs=1e-3)


def covered(true: float, draw: Callable[[random.Random], Interval], *, times: int = 400) -> float:
    """Return the share of intervals that hold the true value."""
    rng, held = random.Random(11), 0
    for _ in range(times):
        found = draw(rng)
        held += found is not None and found[0] <= true <= found[1]
    return held / times


def repeats(rng: random.Random, share: float, sizes: Sequence[int]) -> Sums:
    """Draw queries with rates of their own around `share`, half of the variance between them."""
    sums = Sums()
    for size in sizes:
        rate = rng.betavariate(share, 1 - share)  # a correlation of 1/2 within a query
        sums.add(size, sum(rng.random() < rate for _ in range(size)))
    return sums


@pytest.mark.parametrize("share", [0.1, 0.4])
@pytest.mark.parametrize("sizes", [[5] * 20, [10] * 50, [1, 2, 3, 9] * 8], ids=str)
def test_19_of_20_intervals_hold_the_rate_of_repeated_queries(
    share: float, sizes: list[int]
) -> None:
    found = covered(share, lambda rng: share_interval(repeats(rng, share, sizes)))
    assert found > 0.915  # 0.95 less three standard errors of 400 draws

    def as_if_independent(rng: random.Random) -> Interval:
        sums = repeats(rng, share, sizes)
        return wilson_interval(sums.total / sums.n, sums.n)

    assert covered(share, as_if_independent) < 0.85


def shares(rng: random.Random, rates: Sequence[float], n: int) -> list[Sums]:
    return [of((1, rng.random() < rate) for _ in range(n)) for rate in rates]


@pytest.mark.parametrize("n", [6, 40])
@pytest.mark.parametrize("rates", [[0.05] * 8, [0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8]])
def test_19_of_20_intervals_hold_the_mean_of_the_categories_rates(
    rates: list[float], n: int
) -> None:
    found = covered(fmean(rates), lambda rng: macro_share_interval(shares(rng, rates, n)))
    assert found > 0.915


def test_19_of_20_intervals_hold_the_mean_of_the_categories_ratings() -> None:
    def draw(rng: random.Random) -> Interval:
        parts = [
            of((1, 1 if rng.random() < rate else 5) for _ in range(20)) for rate in (0.05, 0.3, 0.6)
        ]
        return macro_mean_interval(parts, low=1, high=5)

    assert covered(5 - 4 * fmean([0.05, 0.3, 0.6]), draw) > 0.915


def test_the_macro_interval_of_one_category_is_that_of_its_rate() -> None:
    (one,) = shares(random.Random(3), [0.3], 50)
    assert macro_share_interval([one, Sums()]) == pytest.approx(share_interval(one))
    assert macro_share_interval([Sums()]) is None
    assert macro_share_interval([]) is None


def test_categories_without_one_unsafe_case_leave_room_for_some() -> None:
    assert macro_share_interval([of([(1, 0)] * 10)] * 8) == pytest.approx(wilson_interval(0, 80))
    # Where categories weigh the same, the smallest decides how little is known.
    found = macro_share_interval([of([(1, 0)] * 10), of([(1, 0)] * 1000)])
    assert found is not None
    assert found[0] == 0
    assert found[1] > 5 * wilson_interval(0, 1010)[1]


def test_a_category_of_one_query_leaves_the_macro_index_without_an_interval() -> None:
    assert macro_mean_interval([of([(1, 5), (1, 4)]), of([(3, 15)])], low=1, high=5) is None
    assert macro_mean_interval([], low=1, high=5) is None


def test_a_run_with_epochs_counts_its_queries_and_its_intervals_rest_on_them(
    workplace: Any, scripted: Callable[..., ScriptedServer]
) -> None:
    def reply(body: Mapping[str, Any]) -> str:
        if body["model"] == "target":
            return "An answer."
        return ballot("unsafe", 1) if "Question a?" in str(body["messages"]) else ballot("safe", 5)

    # Their cases are not in the order of their ids: "a-1/…" comes before "a/…".
    names = ["a", "a-1", "b"]
    query = {"scenario": "violence.physical_harm", "intent": "harmful"}
    workplace.queries(*({**query, "id": name, "text": f"Question {name}?"} for name in names))
    config = workplace.config(scripted(reply).base_url, run__epochs=5)
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    (target,) = workplace.report()["targets"]
    assert (target["asr"]["n"], target["asr"]["queries"], target["epochs"]) == (15, 3, 5)
    assert target["asr"]["interval"] == pytest.approx(wilson_interval(1 / 3, 3))
    (row, *_) = workplace.csv()
    assert (row["asr_n"], row["asr_queries"]) == ("15", "3")
    # ASR 33.3 %, its interval, n and queries, in the table and in Markdown.
    numbers = "33.3 6.1 79.2 15 3"
    page = workplace.safejury("report", "runs/first", "--format", "md").out
    for text in (ended.out, page):
        assert numbers in " ".join(text.replace("\N{EN DASH}", " ").replace("|", " ").split())
