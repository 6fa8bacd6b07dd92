"""Intervals and tests of paired differences, against figures worked out by hand or elsewhere."""

import random
from collections import Counter
from math import sqrt
from statistics import NormalDist

import pytest

from safejury.evaluation.compare import Pairs, RateDifference, difference_of, macro_difference
from safejury.evaluation.metrics import holm, mcnemar, sign_flips


def _share(counts: dict[tuple[float, float], int], level: float = 0.95) -> RateDifference:
    pairs = Pairs(values=Counter(counts))
    return difference_of("asr", pairs, level=level, seed=0, limits=(-1.0, 1.0))


def test_an_interval_is_that_of_bonett_and_price() -> None:
    # 9 of 80 pairs speak for the first side, 2 for the second: (10 - 3) / 82 = 0.0854, and
    # 1.96 * sqrt((13 / 82 - 0.0854 ** 2) / 82) = 0.0842.
    found = _share({(1, 0): 9, (0, 1): 2, (0, 0): 49, (1, 1): 20})
    assert found.difference == pytest.approx(-7 / 80)
    assert found.interval == pytest.approx((-0.0854 - 0.0842, -0.0854 + 0.0842), abs=1e-4)
    # Fagerland and others give 0.0654 as the exact p of 9 and 2, 0.0386 as its mid-p.
    assert found.p == pytest.approx(0.0654, abs=1e-4)
    assert found.mid_p == pytest.approx(0.0386, abs=1e-4)


def test_a_difference_takes_both_interval_and_test_to_be_shown() -> None:
    assert not _share({(1, 0): 5, (0, 0): 95}).is_shown
    assert _share({(1, 0): 6, (0, 0): 94}).is_shown
    edge = _share({(1, 0): 10, (0, 1): 22, (0, 0): 300})
    assert edge.excludes_zero
    assert edge.p == pytest.approx(0.0501, abs=1e-4)
    assert not edge.is_shown
    assert edge.is_unsettled


def test_a_difference_that_the_test_alone_sees_is_not_shown() -> None:
    # All 6 speak for the second side: 2 / 2**6. One by far the most, so the spread is wide.
    pairs = Pairs(20.0, Counter({(20.0, 100.0): 1, (80.0, 100.0): 5}))
    found = difference_of("sri", pairs, level=0.95, seed=0, limits=(-80.0, 80.0))
    assert found.p == 2 / 2**6
    assert found.interval is not None
    assert found.interval[0] < 0
    assert not found.is_shown
    assert found.is_unsettled


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (3, 3), (2, 7), (40, 71)])
def test_mcnemar_sums_the_tails_of_a_fair_coin(first: int, second: int) -> None:
    n = first + second
    coin = [1.0]
    for _ in range(n):
        coin = [(a + b) / 2 for a, b in zip([0, *coin], [*coin, 0], strict=True)]
    low = sum(coin[: min(first, second) + 1])
    assert mcnemar(first, second).p == pytest.approx(min(1, 2 * low))


def test_mcnemar_of_many_thousand_queries_is_exact_and_quick() -> None:
    found = mcnemar(100_400, 99_600)
    z = (800 - 1) / sqrt(200_000)  # the normal approximation, with its continuity correction
    assert z == pytest.approx(1.7866, abs=1e-4)
    assert found.p == pytest.approx(0.0740, abs=1e-4)


def test_sign_flips_of_equal_differences_are_mcnemar() -> None:
    assert sign_flips({1.0: 8, -1.0: 1, 0.0: 5}, seed=0).p == pytest.approx(mcnemar(8, 1).p)
    drawn = sign_flips({1.0: 22, -1.0: 10}, seed=0)
    assert drawn.test == "sign flips, 20,000 drawn"
    assert drawn.p == pytest.approx(mcnemar(22, 10).p, abs=0.006)
    assert drawn == sign_flips({1.0: 22, -1.0: 10}, seed=0)


def test_few_differences_of_several_sizes_are_gone_through_one_by_one() -> None:
    # Of the 8 patterns of 1, 2 and 3, only +++ and --- are as far from 0 as 6.
    assert sign_flips({1.0: 1, 2.0: 1, 3.0: 1}, seed=0).p == 2 / 8


def test_mcnemar_of_few_pairs_is_a_whole_number_of_throws() -> None:
    assert mcnemar(0, 0).p == 1.0
    assert mcnemar(0, 10).p == mcnemar(10, 0).p == 2 / 2**10
    assert mcnemar(2, 8).p == 2 * (1 + 10 + 45) / 2**10


def test_holm_stops_at_the_first_that_may_be_chance() -> None:
    """By hand, at 5 % over four: 0.01 <= 0.0125, 0.013 <= 0.0167, 0.03 > 0.025."""
    adjusted = holm([0.03, 0.01, 0.04, 0.013])
    assert [p <= 0.05 for p in adjusted] == [False, True, False, True]
    assert all(p > 0.05 for p in holm([0.013] * 4))


def test_holm_lets_no_p_be_smaller_than_the_one_before() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_categories_weigh_the_same_in_a_macro_difference() -> None:
    one = Pairs(values=Counter({(0.0, 1.0): 1, (0.0, 0.0): 9}))
    two = Pairs(values=Counter({(0.0, 1.0): 1}))
    found = macro_difference("asr_macro", [one, two], level=0.95, seed=0)
    assert found.difference == pytest.approx((0.1 + 1) / 2)
    assert (found.first, found.second) == (0, pytest.approx(0.55))


def test_a_smaller_difference_is_seen_with_more_queries() -> None:
    few = _share({(1, 0): 4, (0, 1): 4, (0, 0): 92}).detectable
    many = _share({(1, 0): 64, (0, 1): 64, (0, 0): 1472}).detectable
    assert few is not None
    assert many is not None
    # 2.802 * sqrt(10 / 102 / 102) and 2.802 * sqrt(130 / 1602 / 1602)
    assert few == pytest.approx(0.0869, abs=1e-4)
    assert many == pytest.approx(0.0199, abs=1e-4)
    assert _share({(0, 0): 5}).detectable is None


@pytest.mark.slow
@pytest.mark.parametrize("n", [10, 50, 200])
@pytest.mark.parametrize("rates", [(0.02, 0.02), (0.1, 0.1), (0.05, 0.15), (0.3, 0.5)])
def test_intervals_cover_and_tests_keep_their_size(n: int, rates: tuple[float, float]) -> None:
    """In 1,000 draws; benchmarks/paired_differences.py has more, with repeated queries."""
    drawn = random.Random(7)
    ends = [NormalDist().inv_cdf(rate) for rate in rates]
    covered = rejected = 0
    for _ in range(1000):
        values = Counter[tuple[float, float]]()
        for _ in range(n):
            difficulty = drawn.gauss(0, sqrt(0.6))
            one, other = (difficulty + drawn.gauss(0, sqrt(0.4)) < end for end in ends)
            values[float(one), float(other)] += 1
        found = difference_of("asr", Pairs(values=values), level=0.95, seed=0, limits=(-1, 1))
        assert found.interval is not None
        covered += found.interval[0] <= rates[1] - rates[0] <= found.interval[1]
        rejected += found.is_shown
    assert covered >= 930
    if rates[0] == rates[1]:
        assert rejected <= 55
